//! Random people do random things with notes and grants, at random times, and a model of fifty lines says what each may see of it.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use palisade::sqlite::Sqlite;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

use crate::rows_site::{NAMES, RowsDatabase, Site};

/// So many steps in one life of a site.
const STEPS: usize = 250;

/// What a person does; rows are those of this life, by number, and one that was never there.
#[derive(Clone, Debug)]
enum Step {
    Add,
    Read(usize),
    Own(usize),
    Edit(usize),
    Delete(usize),
    Grant(usize, usize, bool, Option<u64>),
    Revoke(usize, usize),
    Leave(usize),
    Grants(usize),
    List,
    Shared,
    Wait(u64),
}

fn step() -> impl Strategy<Value = (usize, Step)> {
    let row = 0..8_usize;
    let person = 0..NAMES.len();
    let what = prop_oneof![
        3 => Just(Step::Add),
        4 => row.clone().prop_map(Step::Read),
        1 => row.clone().prop_map(Step::Own),
        4 => row.clone().prop_map(Step::Edit),
        1 => row.clone().prop_map(Step::Delete),
        5 => (row.clone(), person.clone(), any::<bool>(), proptest::option::of(0..60_u64))
            .prop_map(|(row, to, edits, until)| Step::Grant(row, to, edits, until)),
        2 => (row.clone(), person.clone()).prop_map(|(row, from)| Step::Revoke(row, from)),
        1 => row.clone().prop_map(Step::Leave),
        1 => row.prop_map(Step::Grants),
        2 => Just(Step::List),
        3 => Just(Step::Shared),
        2 => (1..20_u64).prop_map(Step::Wait),
    ];
    (person, what)
}

#[derive(Debug)]
struct Row {
    owner: usize,
    title: String,
    /// To whom, whether to edit, until when.
    grants: BTreeMap<usize, (bool, Option<u64>)>,
}

/// What should be so.
#[derive(Debug, Default)]
struct Model {
    rows: BTreeMap<String, Row>,
    now: u64,
    titles: usize,
}

impl Model {
    /// What a person was granted of a row and has now: to edit, or to see only.
    fn granted(&self, person: usize, row: &Row) -> Option<bool> {
        let (edits, until) = row.grants.get(&person)?;
        until.is_none_or(|until| self.now < until).then_some(*edits)
    }

    fn of(&self, id: &str, person: usize, may: impl Fn(&Self, &Row) -> bool) -> Option<&Row> {
        self.rows
            .get(id)
            .filter(|row| row.owner == person || may(self, row))
    }

    fn own(&mut self, id: &str, person: usize) -> Option<&mut Row> {
        self.rows.get_mut(id).filter(|row| row.owner == person)
    }
}

fn answer<T: ToString>(text: Option<T>) -> (StatusCode, String) {
    match text {
        Some(text) => (StatusCode::OK, text.to_string()),
        None => (StatusCode::NOT_FOUND, String::new()),
    }
}

fn role(edits: bool) -> &'static str {
    if edits { "editor" } else { "viewer" }
}

#[expect(clippy::too_many_lines, reason = "one arm for each step")]
async fn take(site: &Site, model: &mut Model, ids: &mut Vec<String>, person: usize, what: &Step) {
    let client = &site.users[person];
    let id = |row: &usize| {
        ids.get(*row % ids.len().max(1))
            .cloned()
            .unwrap_or_else(|| "999".to_owned())
    };
    let (path, body, expected) = match what {
        Step::Add => {
            model.titles += 1;
            let title = format!("t{}", model.titles);
            let added = client.post("/", &format!("title={title}")).await;
            assert_eq!(added.status, StatusCode::OK, "{added:?}");
            ids.push(added.text.clone());
            let grants = BTreeMap::new();
            model.rows.insert(
                added.text,
                Row {
                    owner: person,
                    title,
                    grants,
                },
            );
            return;
        }
        Step::Wait(seconds) => {
            model.now += seconds;
            site.clock.advance(Duration::from_secs(*seconds));
            return;
        }
        Step::Read(row) => {
            let id = id(row);
            let found = model.of(&id, person, |model, row| model.granted(person, row).is_some());
            let text = found.map(|row| format!("{0} the secret of {0}", row.title));
            (format!("/{id}"), None, answer(text))
        }
        Step::Own(row) => {
            let id = id(row);
            let text = model.own(&id, person).map(|row| row.title.clone());
            (format!("/{id}/own"), None, answer(text))
        }
        Step::Edit(row) => {
            let id = id(row);
            let may = model
                .of(&id, person, |model, row| model.granted(person, row) == Some(true))
                .is_some();
            model.titles += 1;
            let title = format!("t{}", model.titles);
            if may && let Some(row) = model.rows.get_mut(&id) {
                row.title.clone_from(&title);
            }
            (
                format!("/{id}/edit"),
                Some(format!("title={title}")),
                answer(may.then_some("done")),
            )
        }
        Step::Delete(row) => {
            let id = id(row);
            let may = model.own(&id, person).is_some();
            if may {
                model.rows.remove(&id);
            }
            (
                format!("/{id}/delete"),
                Some(String::new()),
                answer(may.then_some("done")),
            )
        }
        Step::Grant(row, to, edits, until) => {
            let id = id(row);
            let until = until.map(|until| model.now + until);
            let own = model.own(&id, person);
            let may = own.map(|row| row.grants.insert(*to, (*edits, until)));
            let until = until.map(|until| format!("&until={until}")).unwrap_or_default();
            let body = format!("name={}&role={}{until}", NAMES[*to], role(*edits));
            (format!("/{id}/grant"), Some(body), answer(may.map(|_| "granted")))
        }
        Step::Revoke(row, from) => {
            let id = id(row);
            let taken = model.own(&id, person).map(|row| row.grants.remove(from));
            let text = taken.map(|taken| if taken.is_some() { "done" } else { "nothing" });
            (
                format!("/{id}/revoke/{}", NAMES[*from]),
                Some(String::new()),
                answer(text),
            )
        }
        Step::Leave(row) => {
            let id = id(row);
            let may = model
                .of(&id, person, |model, row| model.granted(person, row).is_some())
                .is_some();
            let left = model
                .rows
                .get_mut(&id)
                .filter(|_| may)
                .map(|row| row.grants.remove(&person));
            let text = left.map(|left| if left.is_some() { "done" } else { "nothing" });
            (format!("/{id}/leave"), Some(String::new()), answer(text))
        }
        Step::Grants(row) => {
            let id = id(row);
            let text = model.own(&id, person).map(|row| {
                let line = |(to, (edits, until)): (&usize, &(bool, Option<u64>))| {
                    let until = until.map_or("-1".to_owned(), |until| until.to_string());
                    format!("{}:{}:{until}", NAMES[*to], role(*edits))
                };
                row.grants.iter().map(line).collect::<Vec<_>>().join(" ")
            });
            (format!("/{id}/grants"), None, answer(text))
        }
        Step::List => {
            let mut lines: Vec<_> = model.rows.iter().filter(|(_, row)| row.owner == person).collect();
            lines.sort_by_key(|(id, _)| id.parse::<i64>().unwrap());
            let text = lines
                .iter()
                .map(|(id, row)| format!("{id}:{}", row.title))
                .collect::<Vec<_>>();
            ("/".to_owned(), None, answer(Some(text.join(" "))))
        }
        Step::Shared => {
            let mut lines: Vec<_> = model
                .rows
                .iter()
                .filter(|(_, row)| row.owner != person)
                .filter_map(|(id, row)| Some((id, row, model.granted(person, row)?)))
                .collect();
            lines.sort_by_key(|(id, ..)| id.parse::<i64>().unwrap());
            let text = lines
                .iter()
                .map(|(id, row, edits)| format!("{id}:{}:{}:{}", row.title, row.owner + 1, role(*edits)))
                .collect::<Vec<_>>();
            ("/shared".to_owned(), None, answer(Some(text.join(" "))))
        }
    };
    let got = match &body {
        Some(body) => client.post(&path, body).await,
        None => client.get(&path).await,
    };
    let text = if got.status == StatusCode::OK {
        got.text
    } else {
        String::new()
    };
    assert_eq!(
        (got.status, text),
        expected,
        "{} does {what:?} at {}: {path} {body:?}",
        NAMES[person],
        model.now
    );
}

pub(crate) async fn follows_the_model<D: RowsDatabase>(database: &D) {
    let site = Site::on(database).await;
    let mut runner = TestRunner::new(Config::default());
    let steps = proptest::collection::vec(step(), STEPS)
        .new_tree(&mut runner)
        .unwrap()
        .current();
    let (mut model, mut ids) = (Model::default(), Vec::new());
    for (person, what) in &steps {
        take(&site, &mut model, &mut ids, *person, what).await;
        // The newest eight rows, gone or not, are those that people know of.
        if ids.len() > 8 {
            ids.remove(0);
        }
    }
}

#[tokio::test]
async fn nobody_reaches_more_in_sqlite_than_the_model_allows() {
    for _ in 0..8 {
        follows_the_model(&Sqlite::in_memory().unwrap()).await;
    }
}

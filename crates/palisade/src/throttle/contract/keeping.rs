//! Counts are kept as they were given, replaced only if they are what was read, listed, and forgotten when they are over.

use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use ipnet::IpNet;
use palisade_core::throttle::Tally;

use super::Contract;
use crate::promise::{Broken, answered, broken, ensure, same};
use crate::throttle::attempt::network_of;
use crate::throttle::bucket::Kind;
use crate::throttle::store::{Counted, ThrottleStore as _};

/// How many counts that are over are made, and how many others to sweep them.
const OVER: u32 = 1500;

impl Contract {
    pub(super) async fn keeps(&self) -> Result<(), Broken> {
        let store = self.store();
        let bucket = self.bucket(Kind::Network);
        let network: IpNet = network_of([0x2001, 0xdb8, 7, 9, 1, 2, 3, 4].into());
        same("an empty place is empty", &self.at(&bucket).await?, &None)?;
        let counted = Counted {
            network: Some(network),
            ..self.counted(3, 60)
        };
        let added = answered(
            "a count can be added",
            store.swap(&bucket, None, Some(counted), self.start).await,
        )?;
        same("a count is added where there is none", &added, &true)?;
        same(
            "a count comes back as it was given, to the millisecond",
            &self.at(&bucket).await?,
            &Some(counted),
        )?;
        let other = self.bucket(Kind::Network);
        same(
            "one place knows nothing of another",
            &self.at(&other).await?,
            &None,
        )
    }

    pub(super) async fn replaces_what_was_read(&self) -> Result<(), Broken> {
        let store = self.store();
        let bucket = self.bucket(Kind::Account);
        let (first, second) = (self.counted(1, 60), self.counted(2, 120));
        let swap = async |old: Option<Counted>, new: Option<Counted>| {
            let old = old.map(|old| old.tally);
            answered(
                "a count can be replaced",
                store.swap(&bucket, old, new, self.start).await,
            )
        };
        same(
            "nothing is not something",
            &swap(Some(first), Some(second)).await?,
            &false,
        )?;
        same(
            "what is not there is not taken away",
            &swap(Some(first), None).await?,
            &false,
        )?;
        same("nothing is nothing", &swap(None, None).await?, &true)?;
        same(
            "nothing can be replaced by a count",
            &swap(None, Some(first)).await?,
            &true,
        )?;
        same(
            "something is not nothing",
            &swap(None, Some(second)).await?,
            &false,
        )?;
        same(
            "something is not nothing, to be kept so",
            &swap(None, None).await?,
            &false,
        )?;
        let later = Counted {
            tally: Tally {
                at: first.tally.at + 1,
                ..first.tally
            },
            ..first
        };
        same(
            "another time is another count",
            &swap(Some(later), Some(second)).await?,
            &false,
        )?;
        same(
            "a count that was refused is not written",
            &self.at(&bucket).await?,
            &Some(first),
        )?;
        same(
            "what was read is replaced",
            &swap(Some(first), Some(second)).await?,
            &true,
        )?;
        same(
            "what was replaced is gone",
            &swap(Some(first), None).await?,
            &false,
        )?;
        same(
            "what was read is taken away",
            &swap(Some(second), None).await?,
            &true,
        )?;
        same(
            "what was taken away is not there",
            &self.at(&bucket).await?,
            &None,
        )
    }

    pub(super) async fn lets_one_win(&self) -> Result<(), Broken> {
        for begun in [false, true] {
            let bucket = self.bucket(Kind::Account);
            let old = begun.then(|| self.counted(1, 60));
            if begun {
                answered(
                    "a count can be added",
                    self.store().swap(&bucket, None, old, self.start).await,
                )?;
            }
            let old = old.map(|old| old.tally);
            let swaps = (0..100_u64).map(|nth| {
                let (store, new, now) = (self.handle(nth), self.counted(nth + 2, 60), self.start);
                tokio::spawn(async move { store.swap(&bucket, old, Some(new), now).await })
            });
            let mut won = 0;
            for swapped in join_all(swaps).await {
                let swapped = swapped.map_err(|_| broken("a swap ends", "it panicked"))?;
                won += u32::from(answered("swaps may meet", swapped)?);
            }
            same("of those who have read the same, one writes", &won, &1)?;
        }
        Ok(())
    }

    pub(super) async fn lists_who_waits(&self) -> Result<(), Broken> {
        // Later than whatever anybody else has in the store.
        let far = Duration::from_hours(24 * 365 * 10);
        let mut expected = Vec::new();
        for (nth, waits) in [(1, 300), (2, 900), (3, 600), (4, 0)] {
            let bucket = self.bucket(Kind::Account);
            let counted = Counted {
                until: self.start + far + Duration::from_secs(waits),
                expires: self.start + far + Duration::from_hours(1),
                ..self.counted(nth, 0)
            };
            answered(
                "a count can be added",
                self.store().swap(&bucket, None, Some(counted), self.start).await,
            )?;
            expected.push((bucket, counted));
        }
        expected.sort_by_key(|(_, counted)| std::cmp::Reverse(counted.until));
        expected.truncate(3);
        let now = self.start + far + Duration::from_millis(1);
        let list = async |at_most| answered("there is a list", self.store().list(at_most, now).await);
        same(
            "those who wait are listed, the longest first",
            &list(100).await?,
            &expected,
        )?;
        expected.truncate(2);
        same("a list is as long as was asked for", &list(2).await?, &expected)
    }

    pub(super) async fn forgets_what_is_over(&self) -> Result<(), Broken> {
        if self.expires_by_itself {
            return Ok(());
        }
        let add = async |now: SystemTime, lives: u64| {
            let bucket = self.bucket(Kind::Account);
            let counted = Counted {
                until: now,
                expires: now + Duration::from_secs(lives),
                ..self.counted(1, 0)
            };
            answered(
                "a count can be added",
                self.store().swap(&bucket, None, Some(counted), now).await,
            )?;
            Ok(bucket)
        };
        let mut over = Vec::new();
        for _ in 0..OVER {
            over.push(add(self.start, 60).await?);
        }
        let later = self.start + Duration::from_secs(61);
        for _ in 0..OVER {
            add(later, 3600).await?;
        }
        let mut left = 0;
        for bucket in &over {
            left += u32::from(self.at(bucket).await?.is_some());
        }
        ensure(
            "what is over goes when others come, so that a store is as large as what it has to remember",
            left <= OVER / 10,
            format_args!("{left} of {OVER} are left"),
        )
    }
}

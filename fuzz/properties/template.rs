//! What holds for every template that is let through, whatever its values are: they change what the page says and never what it is.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{Rawtext, Rcdata, ScriptData};
use html5ever::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use minijinja::context;
use palisade::templates::{environment, load};

/// What templates are made of.
const PIECES: [&str; 64] = [
    "{{ x }}",
    "{{ x|url }}",
    "{{ x|tojson }}",
    "{{ x|escapejs }}",
    "{{ y|url }}",
    "{{ y }}",
    "{% if c %}",
    "{% else %}",
    "{% endif %}",
    "{% for z in zs %}",
    "{% endfor %}",
    "{{ z }}",
    "{{ z|url }}",
    "{{ z|tojson }}",
    "<a href=\"",
    "<a href='",
    "<a href=",
    "<p title=\"",
    "<p title='",
    "<p onclick=\"",
    "<p style='",
    "<script>",
    "</script>",
    "<style>",
    "</style>",
    "<title>",
    "</title>",
    "<textarea>",
    "</textarea>",
    "<!--",
    "-->",
    "--!>",
    "<!",
    "<?",
    "</",
    "<",
    ">",
    "\"",
    "'",
    "`",
    "/",
    "//",
    "/*",
    "*/",
    "\\",
    "\n",
    " ",
    "=",
    ":",
    "?",
    "#",
    "javascript",
    "java",
    "a",
    "<svg>",
    "</a>",
    "</p>",
    "-",
    "!",
    "<img src=\"",
    "<b ",
    "{{ x|json_script(\"i\") }}",
    "{% set w %}{{ x|tojson }}{% endset %}",
    "<p data-x=\"{{ w }}\">",
];

/// What somebody sends who wants to be more than text; the first of them wants nothing.
const VALUES: [&str; 10] = [
    "harmless",
    "\"><script>evil()</script>",
    "' onclick='evil()' x=",
    "</script></style></title></textarea><script>evil()//",
    "javascript:evil()",
    "java",
    "script:evil()",
    " onclick=evil() ",
    "--><script>evil()</script>",
    "*/evil()/*\\",
];

/// Asserts it for one template, which these bytes choose the pieces of.
pub(super) fn holds(data: &[u8]) {
    let pieces = data.iter().take(40);
    let source: String = pieces
        .filter_map(|byte| PIECES.get(usize::from(byte % 64)).copied())
        .collect();
    let mut templates = environment();
    if load(&mut templates, &[("t", &source)]).is_err() {
        return;
    }
    let Ok(template) = templates.get_template("t") else {
        return;
    };
    let page = |x: &'static str, y: &'static str, c: bool| {
        let about = context! { x => x, y => y, c => c, zs => [x, y, x] };
        template.render(about).ok().map(|html| shape(&html))
    };
    for c in [false, true] {
        let Some(meant) = page(VALUES[0], VALUES[0], c) else {
            return;
        };
        for (place, x) in VALUES.iter().enumerate() {
            let y = VALUES[(place + 1) % VALUES.len()];
            for (x, y) in [(*x, y), (y, *x), (*x, VALUES[0])] {
                let Some(got) = page(x, y, c) else {
                    continue;
                };
                assert_eq!(got, meant, "{source:?} with {x:?} and {y:?} is another page");
            }
        }
    }
}

/// What a page is: its tags with the names of their attributes, what leads to script, and the strings and signs of its scripts.
fn shape(html: &str) -> Vec<String> {
    let shape = Shape::default();
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let tokenizer = Tokenizer::new(shape, TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.found.into_inner()
}

#[derive(Default)]
struct Shape {
    found: RefCell<Vec<String>>,
    /// What has been read of a script.
    script: RefCell<String>,
}

impl TokenSink for Shape {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut found = self.found.borrow_mut();
        match token {
            Token::TagToken(tag) => {
                let attributes = tag.attrs.iter().map(|attribute| {
                    let name = &*attribute.name.local;
                    let value = match name {
                        "href" | "src" => scheme(&attribute.value),
                        _ if name.starts_with("on") || name == "style" => attribute.value.to_string(),
                        _ => String::new(),
                    };
                    format!("{name}={value}")
                });
                let attributes: Vec<String> = attributes.collect();
                if (tag.kind, &*tag.name) == (TagKind::EndTag, "script") {
                    found.push(code(&self.script.take()));
                }
                found.push(format!("{:?} {} {attributes:?}", tag.kind, tag.name));
                return match (tag.kind, &*tag.name) {
                    (TagKind::StartTag, "script") => TokenSinkResult::RawData(ScriptData),
                    (TagKind::StartTag, "style") => TokenSinkResult::RawData(Rawtext),
                    (TagKind::StartTag, "title" | "textarea") => TokenSinkResult::RawData(Rcdata),
                    _ => TokenSinkResult::Continue,
                };
            }
            Token::CommentToken(text) => found.push(format!("comment {text}")),
            Token::DoctypeToken(doctype) => found.push(format!("{doctype:?}")),
            // Text within a script is code; where else it stands, a value may be as long as it likes.
            Token::CharacterTokens(text)
                if found.last().is_some_and(|tag| tag.starts_with("StartTag script")) =>
            {
                self.script.borrow_mut().push_str(&text);
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// Whether an address is script, as browsers read it.
fn scheme(address: &str) -> String {
    let read: String = address
        .chars()
        .filter(|character| !matches!(character, '\t' | '\n' | '\r'))
        .collect();
    let read = read
        .trim_start_matches(|character: char| character <= ' ')
        .to_ascii_lowercase();
    if read.starts_with("javascript:") {
        "script".to_owned()
    } else {
        String::new()
    }
}

/// A script without what stands in its strings and comments.
fn code(script: &str) -> String {
    let (mut code, mut rest) = (String::new(), script);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => rest
                .get(2..)
                .and_then(|rest| rest.find("*/"))
                .map_or(rest.len(), |end| end + 4),
            '"' | '\'' => end_of_string(rest, first),
            _ => {
                code.push(first);
                first.len_utf8()
            }
        };
        if matches!(first, '"' | '\'') {
            code.push_str("string");
        }
        rest = &rest[length..];
    }
    code
}

fn end_of_string(text: &str, quote: char) -> usize {
    let mut escaped = true;
    for (place, character) in text.char_indices() {
        if !escaped && character == quote {
            return place + 1;
        }
        escaped = place > 0 && character == '\\' && !escaped;
    }
    text.len()
}

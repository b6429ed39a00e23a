//! What the sanitiser promises, for whatever is written: nothing but the allow-list, the same when read again, and never for long.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use proptest::prelude::*;
use testkit::script_vectors::{HTML, MARKDOWN};

use super::*;

/// Collects what a browser's tokenizer finds.
#[derive(Default)]
struct Found(RefCell<(Vec<String>, usize)>);

impl TokenSink for Found {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let (faults, elements) = &mut *self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => {
                *elements += 1;
                let Some((_, allowed)) = attributes(&tag.name, true) else {
                    faults.push(format!("<{}>", tag.name));
                    return TokenSinkResult::Continue;
                };
                for attribute in &tag.attrs {
                    let name = &*attribute.name.local;
                    let good = match name {
                        "rel" => &*tag.name == "a" && &*attribute.value == "noopener nofollow ugc",
                        "href" => is_safe_url(&attribute.value),
                        "src" => is_own_path(&attribute.value),
                        _ => true,
                    };
                    if !good || (name != "rel" && !allowed.contains(&name)) {
                        faults.push(format!("<{} {name}={}>", tag.name, attribute.value));
                    }
                }
                let links = tag.kind == TagKind::StartTag && &*tag.name == "a";
                if links && !tag.attrs.iter().any(|attribute| &*attribute.name.local == "rel") {
                    faults.push("a link without rel".to_owned());
                }
            }
            Token::CommentToken(comment) => faults.push(format!("<!--{comment}-->")),
            Token::DoctypeToken(_) => faults.push("a doctype".to_owned()),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

fn faults(html: &str) -> Vec<String> {
    let tokenizer = Tokenizer::new(Found::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner().0
}

fn keeps_its_promises(written: &str) {
    for way in [RichText::new(), RichText::new().with_own_images()] {
        for html in [way.html(written), way.markdown(written)] {
            assert_eq!(
                faults(html.as_str()),
                Vec::<String>::new(),
                "{written:?} became {html}"
            );
            assert_eq!(
                way.html(html.as_str()),
                html,
                "{written:?} is read otherwise again"
            );
        }
    }
}

#[test]
fn the_allow_list_is_in_order_so_that_it_can_be_searched() {
    assert!(ALLOWED.is_sorted_by_key(|(name, _)| name));
}

#[test]
fn no_vector_leaves_anything_that_is_not_on_the_list() {
    for written in HTML.iter().chain(MARKDOWN) {
        keeps_its_promises(written);
    }
    // In one page, where one's open end is another's beginning.
    keeps_its_promises(&HTML.concat());
    keeps_its_promises(&MARKDOWN.join("\n\n"));
}

#[test]
fn the_check_itself_finds_what_is_wrong() {
    for bad in HTML
        .iter()
        .filter(|bad| (bad.starts_with("<img src") && bad.ends_with('>')) || bad.starts_with("<a href=\"j"))
    {
        assert!(!faults(bad).is_empty(), "{bad}");
    }
}

#[test]
fn what_people_write_stays() {
    let cases = [
        (
            "*a* **b** ~~c~~ `d`",
            "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d</code></p>\n",
        ),
        (
            "# A\n\n1. x\n2. y",
            "<h1>A</h1>\n<ol>\n<li>x</li>\n<li>y</li>\n</ol>\n",
        ),
        ("3. x", "<ol start=\"3\">\n<li>x</li>\n</ol>\n"),
        ("> q\n\n---", "<blockquote>\n<p>q</p>\n</blockquote>\n<hr>\n"),
        (
            "```rust\n\nlet a = 1 < 2;\n```",
            "<pre>\n<code>\nlet a = 1 &lt; 2;\n</code></pre>\n",
        ),
        (
            "[a](/b \"c\")",
            "<p><a href=\"/b\" title=\"c\" rel=\"noopener nofollow ugc\">a</a></p>\n",
        ),
        ("![cat](/cat.png)", "<p></p>\n"),
        ("a & b < c", "<p>a &amp; b &lt; c</p>\n"),
    ];
    for (written, html) in cases {
        assert_eq!(markdown(written).as_str(), html, "{written}");
    }
    assert_eq!(
        markdown("|a|b|\n|-|-|\n|1|2|").as_str().replace('\n', ""),
        "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>"
    );
    assert_eq!(rich_text("<pre>\n\nx</pre>").as_str(), "<pre>\n\nx</pre>");
}

#[test]
fn a_line_is_broken_where_its_writer_broke_it_if_that_is_asked_for() {
    assert_eq!(markdown("a\nb").as_str(), "<p>a\nb</p>\n");
    let way = RichText::new().with_line_breaks();
    assert_eq!(way.markdown("a\nb").as_str(), "<p>a<br>\nb</p>\n");
}

#[test]
fn an_image_is_shown_when_asked_for_and_from_the_site_alone() {
    let way = RichText::new().with_own_images();
    assert_eq!(
        way.markdown("![cat](/cat.png)").as_str(),
        "<p><img src=\"/cat.png\" alt=\"cat\"></p>\n"
    );
    for other in [
        "https://t.example/x.gif",
        "//t.example/x",
        "/\\t.example/x",
        "data:image/svg+xml,x",
    ] {
        let html = way.html(&format!("<img src='{other}'>"));
        assert!(!html.as_str().contains("src"), "{html}");
        // Markdown writes a backslash as %5C, and then it is part of a path.
        let html = way.markdown(&format!("![cat](<{other}>)"));
        assert!(
            !html.as_str().contains("src") || other.starts_with("/\\"),
            "{html}"
        );
    }
    assert!(!rich_text("<img src=/cat.png>").as_str().contains("img"));
}

#[test]
fn a_text_that_is_too_long_is_shown_as_it_was_written() {
    let way = RichText::new().with_longest(4);
    assert_eq!(way.markdown("*abc*").as_str(), "<pre>\n*abc*</pre>");
    assert_eq!(way.html("<b>a</b>").as_str(), "<pre>\n&lt;b&gt;a&lt;/b&gt;</pre>");
    assert_eq!(RichText::new().with_longest(usize::MAX), RichText::new());
}

#[test]
fn text_that_makes_parsers_slow_is_done_with_at_once() {
    let many = |piece: &str| piece.repeat(60_000 / piece.len());
    let distinct: Vec<String> = (0..4_000).map(|n| format!("<b id={n}>")).collect();
    let distinct = distinct.concat();
    let cases = [
        many("<div>"),
        many("<blockquote>"),
        many("<b><i>"),
        many("<b><p>"),
        many("<a href=/>"),
        many("<table><td>"),
        many("<p></b>"),
        format!("{distinct}{}", many("<p>x")),
        format!("{}{}", many("<a title=x>"), many("</p>")),
        many("<ul><li>"),
        many("</p>"),
        many("<h1><h2>"),
        many("<table>x"),
        many("<svg><p>"),
        many(">"),
        many("> "),
        many("* "),
        many("- a\n  "),
        many("["),
        many("[a]("),
        many("![["),
        many("*a **b "),
        many("_*"),
        many("`a``b```"),
        many("<"),
        many("&"),
        many("\\"),
        many("[a]: x\n"),
        format!("[a]: {}\n\n{}", "x".repeat(20_000), many("[a] ")),
        many("| a "),
        format!("{}\n{}\n{}", many("|a"), many("|-"), many("|b")),
        format!("|a|\n|-|\n{}", many("|\n")),
        many("<!--"),
        many("<?"),
        many("~~a"),
        many("a\n="),
        many("```\n"),
        many("&#38;"),
    ];
    for written in cases {
        let begun = Instant::now();
        let start: String = written.chars().take(30).collect();
        for html in [rich_text(&written), markdown(&written)] {
            // A build for tests on a busy machine is some hundred times slower than a program; quadratic work is minutes even so.
            assert!(
                begun.elapsed() < Duration::from_secs(40),
                "{start:?} took {:?}",
                begun.elapsed()
            );
            assert!(
                html.as_str().len() <= 64 * written.len() + 10_000_000,
                "{start:?} became {} bytes",
                html.as_str().len()
            );
        }
    }
}

#[test]
fn nesting_ends_where_it_is_too_deep_and_the_text_stays() {
    let html = markdown(&format!("{} deep", ">".repeat(1_000)));
    assert_eq!(html.as_str().matches("<blockquote>").count(), DEEPEST);
    assert!(html.as_str().contains("deep"));
}

fn pieces() -> impl Strategy<Value = String> {
    let tags = "</?(script|style|svg|math|mtext|mglyph|annotation-xml|table|td|tr|p|a|b|i|div|ul|li|ol|pre|code|h1|h2|select|option|template|\
        noscript|textarea|title|xmp|form|img|br|foreignObject|desc|blockquote)( (href|src|onclick|title|start|id)=(\"[^\"]{0,8}\"|'[^']{0,8}'|\
        javascript:x|/x))?/?>";
    let piece = prop_oneof![
        3 => proptest::string::string_regex(tags).unwrap(),
        1 => proptest::string::string_regex("<!--|-->|<!\\[CDATA\\[|\\]\\]>|&lt;|&amp;|\n|\n\n|  |`|\\*\\*|> |\\* |\\[x\\]\\(|\\)|\\||\\|-\\|").unwrap(),
        1 => ".{0,6}",
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_else_comes_out_of_html_and_it_is_read_the_same_again(written in pieces()) {
        keeps_its_promises(&written);
    }

    #[test]
    fn nothing_else_comes_out_of_any_text(written in ".{0,200}") {
        keeps_its_promises(&written);
    }
}

#[test]
fn headings_stand_below_those_of_the_page_and_none_is_lost() {
    let below = RichText::new().with_headings_below(1);
    let html = below.markdown("# a\n\n## b *c*\n\n###### d\n\ne\n===");
    assert_eq!(
        html.as_str(),
        "<h2>a</h2>\n<h3>b <em>c</em></h3>\n<h6>d</h6>\n<h2>e</h2>\n"
    );
    assert_eq!(
        RichText::new().with_headings_below(255).markdown("# a").as_str(),
        "<h6>a</h6>\n"
    );
    assert_eq!(markdown("# a").as_str(), "<h1>a</h1>\n");
}

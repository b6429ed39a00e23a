//! What templates print, and what they refuse.

use minijinja::{Value, context};

use super::*;

fn shown(source: &'static str, about: Value) -> Result<String, String> {
    let mut templates = environment();
    load(&mut templates, &[("t.txt", source)]).map_err(|error| error.to_string())?;
    let template = templates.get_template("t.txt").unwrap();
    template.render(about).map_err(|error| format!("{error:#}"))
}

#[test]
fn everything_is_escaped_as_django_escapes_in_files_of_every_name() {
    let all = "<a href='x' title=\"y\">&amp;/</a>";
    assert_eq!(
        shown("{{ x }}{{ [x] }}", context! { x => all })
            .unwrap()
            .split_once('[')
            .unwrap()
            .0,
        palisade_core::escape::escape(all)
    );
    assert!(
        !shown("{{ [x] }}{{ {'a': x} }}", context! { x => all })
            .unwrap()
            .contains('<')
    );
}

#[test]
fn no_block_of_a_template_switches_escaping_off() {
    let mut templates = environment();
    // Past the reader, which refuses it: the printer still escapes.
    templates
        .add_template("t", "{% autoescape false %}{{ x }}{% endautoescape %}")
        .unwrap();
    let html = templates
        .get_template("t")
        .unwrap()
        .render(context! { x => "<b>" });
    assert_eq!(html.unwrap(), "&lt;b&gt;");
    // And the filter is gone, by whichever name it is called.
    templates.add_template("s", "{{ x|safe }}").unwrap();
    assert!(
        templates
            .get_template("s")
            .unwrap()
            .render(context! { x => "<b>" })
            .is_err()
    );
}

#[test]
fn what_is_not_there_is_not_printed_as_nothing() {
    assert!(shown("{{ x }}", context! {}).is_err());
    assert!(shown("{{ x.y }}", context! { x => context! {} }).is_err());
    assert_eq!(shown("{% if x %}a{% endif %}b", context! {}).unwrap(), "b");
}

#[test]
fn filters_write_what_django_writes() {
    // Compared with a Django 5.2.19: escapejs, and the escapes of json_script, which writes spaces behind `:` there.
    assert_eq!(
        shown(
            "<script>\"{{ x|escapejs }}\"</script>",
            context! { x => "</script>'\"\\-`=;&\u{2028}" }
        )
        .unwrap(),
        "<script>\"\\u003C/script\\u003E\\u0027\\u0022\\u005C\\u002D\\u0060\\u003D\\u003B\\u0026\\u2028\"</script>"
    );
    assert_eq!(
        shown(
            "{{ x|json_script('a') }}",
            context! { x => context! { n => "</script><!--&\u{e9}" } }
        )
        .unwrap(),
        "<script id=\"a\" type=\"application/json\">{\"n\":\"\\u003C/script\\u003E\\u003C!--\\u0026\\u00e9\"}</script>"
    );
    assert_eq!(
        shown("{{ x|json_script }}", context! { x => 1 }).unwrap(),
        "<script type=\"application/json\">1</script>"
    );
}

#[test]
fn script_in_an_address_is_refused_and_the_page_stays() {
    for bad in [
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        " JAVASCRIPT:x",
        "data:text/html,x",
    ] {
        assert_eq!(
            shown("<a href=\"{{ x|url }}\">", context! { x => bad }).unwrap(),
            "<a href=\"about:invalid#refused\">"
        );
    }
    assert_eq!(
        shown("<a href='{{ x|url }}'>", context! { x => "/?a=1&b='" }).unwrap(),
        "<a href='/?a=1&amp;b=&#x27;'>"
    );
}

#[test]
fn attribute_holds_what_it_held() {
    for (template, expected) in [
        ("<p class=\"{{ x if x else 'b' }}\">", "<p class=\"&lt;\">"),
        ("<p class=\"a{{ ' b' if y }}\">", "<p class=\"a\">"),
        (
            "<p class=\"{{ y|default('c') }}\" title=\"{{- n + 1 -}}\">",
            "<p class=\"c\" title=\"2\">",
        ),
        ("<p class=\"{{ x ~ n }}\">", "<p class=\"&lt;1\">"),
    ] {
        assert_eq!(shown(template, context! { x => "<", n => 1 }).unwrap(), expected);
    }
    assert!(
        shown("<p class=\"{{ y }}\">", context! {}).is_err(),
        "what is not there"
    );
}

#[test]
fn all_dangerous_places_of_all_templates_are_named_at_once() {
    let error = load(
        &mut environment(),
        &[
            ("a.html", "<p title={{ x }}>"),
            ("b.html", "{{ x }}"),
            ("c.html", "\n<p onclick=\"{{ x }}\">{{ y|safe }}"),
        ],
    )
    .unwrap_err()
    .to_string();
    for place in [
        "a.html:1:",
        "c.html:2: {{ x }} stands in onclick",
        "c.html:2: {{ y|safe }} declares",
    ] {
        assert!(error.contains(place), "{error}");
    }
    assert!(matches!(
        load(&mut environment(), &[("a", "{% if %}")]),
        Err(TemplateError::Unsafe(_) | TemplateError::Unreadable(_))
    ));
}

#[test]
fn safe_html_within_a_struct_is_escaped_once_more_rather_than_trusted() {
    #[derive(Serialize)]
    struct Note {
        body: SafeHtml,
    }
    let note = Note {
        body: crate::html::markdown("<"),
    };
    assert_eq!(
        shown("{{ note.body }}", context! { note => Value::from(Serde(&note)) }).unwrap(),
        "&lt;p&gt;&amp;lt;&lt;/p&gt;\n"
    );
    assert_eq!(
        shown("{{ x }}", context! { x => Value::from(note.body) }).unwrap(),
        "<p>&lt;</p>\n"
    );
}

#[test]
fn a_form_is_shown_field_by_field_and_as_a_whole() {
    use crate::form::Form as _;

    #[derive(crate::Form)]
    struct Search {
        #[expect(dead_code, reason = "it is shown, and never sent")]
        words: String,
    }
    let bound = Search::blank().with_initial("words", ["\"><b>"]);
    let html = shown(
        "{% for field in form.fields %}{{ field.name }} {{ field.label }}: {{ field.input }}{% endfor %}|{{ form.field.words.html }}|{{ form.html }}",
        context! { form => form(&bound) },
    )
    .unwrap();
    assert!(html.starts_with("words Words: <input"), "{html}");
    assert_eq!(html.matches("value=\"&quot;&gt;&lt;b&gt;\"").count(), 3, "{html}");
    assert!(!html.contains("<b>"), "{html}");
}

#[test]
fn an_error_does_not_show_the_values_around_it() {
    let error = shown("{{ x }}{{ y }}", context! { x => "secret-4711" }).unwrap_err();
    assert!(error.contains("undefined") && !error.contains("4711"), "{error}");
}

#[test]
fn what_is_declared_safe_for_text_does_not_end_an_attribute() {
    let link = Value::from(crate::html::rich_text(
        "<a href=\"https://e.example/ onclick=x y=\">z</a>",
    ));
    assert!(link.to_string().contains(" onclick=x"), "{link}");
    assert_eq!(
        shown("<p title=\"{{ x }}\">", context! { x => link }).unwrap(),
        "<p title=\"&lt;a href=&quot;https://e.example/ onclick=x y=&quot; rel=&quot;noopener nofollow ugc&quot;&gt;z&lt;/a&gt;\">"
    );
    // JSON arrives as it was meant, whichever quotes the template has.
    let about = || context! { x => "a onclick=\"b'" };
    assert_eq!(
        shown("<p data-x=\"{{- x|tojson -}}\" data-y='{{ x|tojson }}'>", about()).unwrap(),
        "<p data-x=\"&quot;a onclick=\\&quot;b\\u0027&quot;\" data-y='&quot;a onclick=\\&quot;b\\u0027&quot;'>"
    );
    // Also by way of what a template has put by.
    for source in [
        "{% set y %}{{ x|tojson }}{% endset %}<p title=\"{{ y }}\">",
        "{% macro m(x) %}{{ x|tojson }}{% endmacro %}<p title=\"{{ m(x) }}\">",
        "{% set y = x|tojson %}<textarea title=\"{{ y if y else y }}\">{{ y }}</textarea>",
    ] {
        let html = shown(source, about()).unwrap();
        assert!(
            html.contains("<p title=\"&quot;a") || html.contains("title=\"&quot;a"),
            "{html}"
        );
    }
    assert!(shown("<p title=\"{{ x }}\">", context! {}).is_err());
}

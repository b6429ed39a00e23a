//! Which places are found to be dangerous, and which are not.

use super::check_template;

fn faults(source: &str) -> Vec<String> {
    check_template("t", source)
        .into_iter()
        .map(|fault| fault.to_string())
        .collect()
}

fn assert_refused(source: &str, why: &str) {
    let found = faults(source);
    assert!(
        found.iter().any(|fault| fault.contains(why)),
        "{source}: {found:?}"
    );
}

#[test]
fn places_in_which_escaping_holds_are_let_through() {
    for good in [
        "<p>{{ x }}</p>",
        "<p title=\"{{ x }}\" data-x='{{ x }}'>",
        "<a href=\"{{ x|url }}\">",
        "<a href=\"{{ (x or y)|url }}\">",
        "<a href=\"{{ x.y[0]|lower|url }}\">",
        "<a href=\"/notes/{{ id }}/?q={{ q }}#{{ a }}\">",
        "<a href=\"?q={{ q }}\">",
        "<a href=\"mailto:{{ address }}\">",
        "<a href=\"https://example.com/{{ x }}\">",
        "<a href=\"{% if x %}/a/{% else %}/b/{% endif %}{{ id }}\">",
        "<script src=\"/static/{{ x }}\"></script>",
        "<title>{{ x }}</title><textarea>{{ x }}</textarea>",
        "<title>{% block title %}x{% endblock %}</title>",
        "<script nonce=\"{{ nonce }}\">let a = {{ x|tojson }}; let b = \"{{ x|escapejs }}\";</script>{{ x }}",
        "{{ x|json_script(\"id\") }}",
        "<a{% if a %} class=\"x\"{% endif %} href=\"/\"{% if b %} aria-current=\"page\"{% endif %}>{{ x }}</a>",
        "<a href=\"{{ a|url }}/notes/{{ id }}\">",
        "<script src=\"https://cdn.example/{{ x }}\"></script><script src=\"static/{{ x }}\"></script>",
        "{{ {'a': {'b': 1}} }}<p title=\"{{ x }}\">",
        "{% for a in b %}<li>{{ a }}</li>{% else %}<p>{{ x }}{% endfor %}",
        "{% if a %}<p>{% elif b %}<b>{% else %}{{ x }}{% endif %}",
        "{# {{ x|safe }} <script> #}{{ x }}",
        "<!doctype html><!-- a > b -->{{ x }}",
        "a < b {{ x }} <3 {{ x }}",
        "{% macro m(x) %}<p>{{ x }}</p>{% endmacro %}{{ m(x) }}",
        "{%- if a -%}{{- x -}}{%- endif -%}",
        "{% set a = x %}{% set b %}<p>{{ x }}</p>{% endset %}{{ \"}}\" }}",
        "<input value=\"{{ x }}\" {% if c %}checked{% endif %}>",
        "<input {% if c %}checked{% endif %}>",
        "<time datetime=\"{{ x }}\">",
        "<style>p{}</style><script>1</script>{{ x }}",
        "<!-->{{ x }}<!--->{{ x }}<!-- a -- b --!>{{ x }}",
        "<script>// it's\n/* \"* / */ f('/a/{{ x|escapejs }}/b', {{ x|tojson }}, \"\\\"{{ x|escapejs }}\")</script>",
        "<script>{% if a %}b({{ x|tojson }}){% else %}c('{{ x|escapejs }}'){% endif %}; d({{ x|tojson }})</script>",
        "<script>{% for a in b %}c({{ a|tojson }});{% endfor %}</script>",
        "<a href=\"{% for a in b %}/{{ a }}{% endfor %}\" class=\"{% for a in b %}{{ a }} {% endfor %}\">",
        "<a href=\"{{ x|url }}/{{ y }}\">",
        "<meta name=\"description\" content=\"{{ x }}\"><svg><title>{{ x }}</title></svg>",
    ] {
        assert_eq!(faults(good), Vec::<String>::new(), "{good}");
    }
}

#[test]
fn places_in_which_a_value_is_code_are_refused() {
    for (bad, why) in [
        ("<p title={{ x }}>", "without quotes"),
        ("<p title=a{{ x }}>", "without quotes"),
        ("<p {{ x }}>", "in a tag"),
        ("<p on{{ x }}=\"a\">", "in a tag"),
        (
            "<script></scr{# - #}ipt><p onclick={{ x|tojson }}>",
            "without quotes",
        ),
        ("<p onclick=\"a('{{ x }}')\">", "is script"),
        ("<p ONCLICK='{{ x|escapejs }}'>", "is script"),
        ("<p style=\"color:{{ x }}\">", "in a style"),
        ("<style>p{color:{{ x }}}</style>", "no filter helps"),
        ("<script>let a = {{ x }}</script>", "in a script"),
        ("<script>let a = \"{{ x }}\"</script>", "escapejs"),
        ("<script>let a = {{ x|escapejs }}</script>", "in a script"),
        ("<script>let a = \"{{ x|tojson }}\"</script>", "escapejs"),
        ("<script>let a = \"b {{ x|tojson }} c\"</script>", "escapejs"),
        ("<script>let a = 'b {{ x|tojson }} c'</script>", "escapejs"),
        (
            "<script>/* \"{{ x|escapejs }}\" */</script>",
            "comment of a script",
        ),
        (
            "<script>{% for a in b %}{{ a|tojson }}'{% endfor %}'</script>",
            "next round",
        ),
        ("<!doctype {{ x }}>", "doctype"),
        ("<a href=\"{{ x|url }}{{ y }}\">", "scheme"),
        ("<a href=\"{{ x|url }}:{{ y }}\">", "scheme"),
        (
            "<a href=\"{% for a in b %}{{ a|url }}{% endfor %}\">",
            "next round",
        ),
        (
            "<svg><a><animate attributeName=href values=\"{{ x }}\"></a></svg>",
            "another attribute",
        ),
        ("<meta http-equiv=refresh content=\"0; URL={{ x }}\">", "leads"),
        ("<SCRIPT\n>{{ x }}</SCRIPT>", "in a script"),
        ("<script>'</scriptx>'; {{ x }}</script>", "in a script"),
        ("<a href=\"{{ x }}\">", "|url"),
        ("<a href=\" {{ x }}\">", "|url"),
        ("<a href='{{ x|url|upper }}'>", "|url"),
        ("<a href=\"{{ a if b else c|url }}\">", "|url"),
        ("<a href=\"{{ a ~ b|url }}\">", "|url"),
        ("<a href=\"{{ '|url' }}\">", "|url"),
        ("<a href=\"java{{ x }}\">", "scheme"),
        ("<a href=\"javascript:a({{ x|url }})\">", "scheme"),
        ("<a href=\"javascript:/{{ x }}\">", "scheme"),
        ("<a href=\"{% if a %}/{% endif %}{{ x }}\">", "scheme"),
        ("<form action=\"{{ x }}\">", "|url"),
        ("<button formaction=\"{{ x }}\">", "|url"),
        ("<script src=\"{{ x|url }}\"></script>", "leads"),
        ("<base href=\"{{ x|url }}\">", "leads"),
        ("<iframe srcdoc=\"{{ x }}\"></iframe>", "whole page"),
        ("<img srcset=\"{{ x }}\">", "list of addresses"),
        ("<!-- {{ x }} -->", "comment"),
        ("{{ x|safe }}", "declares text safe"),
        ("{{ f(x | safe) }}", "declares text safe"),
        ("{% set y = x|safe %}", "declares text safe"),
        ("{% filter safe %}{{ x }}{% endfilter %}", "declares text safe"),
        ("{% autoescape false %}{{ x }}{% endautoescape %}", "autoescape"),
        ("<script>{% block a %}{% endblock %}</script>", "{% block %}"),
        ("<a title=\"{% include 'x' %}\">", "{% include %}"),
        ("{% if a %}<p title=\"{% endif %}{{ x }}", "different places"),
        (
            "{% if a %}<script>{% else %}<p>{% endif %}{{ x }}</script>",
            "different places",
        ),
        (
            "{% for a in b %}<p title='{% endfor %}{{ x }}",
            "different places",
        ),
        ("{% block a %}<p title=\"{% endblock %}", "different places"),
        ("<p title=\"", "ends within"),
        ("<script>", "ends within"),
        ("{{ x", "not closed"),
        ("{% raw %}{{ x }}{% endraw %}", "hides"),
    ] {
        assert_refused(bad, why);
    }
}

#[test]
fn what_browsers_read_otherwise_than_it_looks_is_refused() {
    for (bad, why) in [
        ("<{{ x }}>", "could become a tag"),
        ("</{{ x }}>", "could become a tag"),
        ("< {{- x }}>", "could become a tag"),
        ("<{# - #}{{ x }}>", "could become a tag"),
        ("<{% if a %}b{% endif %}{{ x }}>", "different places"),
        ("<{%- if a -%} {%- endif -%} {{ x }}>", "could become a tag"),
        ("<title></{{ x }}></title>", "could become a tag"),
        ("<!-- --{# - #}> <script> --> {{ x }}</script>", "in a script"),
        ("<!--{# - #}> <script> --> {{ x }}</script>", "in a script"),
        ("<script>'<!-{# - #}-'</script>", "<!--"),
        ("<script>let a = `{{ x|escapejs }}`</script>", "backtick"),
        ("<script>let a = `${b}`; c({{ x|tojson }})</script>", "backtick"),
        ("<script>let a = \"\\{{ x|escapejs }}\"</script>", "backslash"),
        ("<script>// {{ x|tojson }}\n</script>", "comment of a script"),
        ("<script>a = /\"/; b({{ x|tojson }})</script>", "slash"),
        ("<script>a = b /{{ x|tojson }}</script>", "slash"),
        ("<script>a = 'b\n; c({{ x|tojson }}) '</script>", "slash"),
        ("<script>{% if a %}'{% endif %}{{ x|tojson }}</script>", "slash"),
        ("<script>a = \"<!--<script>\"</script>{{ x }}</script>", "<!--"),
        ("<script><!-- </script>", "<!--"),
        ("<!--> <script> --> {{ x }}</script>", "in a script"),
        ("<!a b=\"> <script>{{ x }}</script>", "in a script"),
        ("</ <!-- > <script>{{ x }}</script> -->", "in a script"),
    ] {
        assert_refused(bad, why);
    }
}

#[test]
fn the_line_is_named() {
    let found = check_template("note.html", "a\n\n{# \n #}<p\n title={{ x }}>");
    assert_eq!(found[0].line, 5);
    assert!(
        found[0]
            .to_string()
            .starts_with("note.html:5: {{ x }} stands in the attribute title")
    );
}

#[test]
fn what_trims_filters_and_leads_to_another_site_is_followed() {
    for (bad, why) in [
        ("a < {{- x }}>", "<"),
        ("<{% if a %}a href={{ x }}{% endif %}>", "t:"),
        ("<p title= {{- x }}>", "without quotes"),
        ("<script src=\"/{{ x }}\"></script>", "leads"),
        ("<script src=\"//{{ x }}/a.js\"></script>", "leads"),
        ("<script src=\"https://{{ x }}/a.js\"></script>", "leads"),
        (
            "<script src=\"{% if a %}/{% else %}/static/{% endif %}{{ x }}\"></script>",
            "leads",
        ),
        (
            "<a href=\"{% filter trim %}{{ x|url }}{% endfilter %}\">",
            "{% filter %}",
        ),
        ("<a href=\"{{ x|url()[1:] }}\">", "|url"),
        ("<a href=\"{{ {'a': {'b': x}} }}\">", "|url"),
    ] {
        assert_refused(bad, why);
    }
}

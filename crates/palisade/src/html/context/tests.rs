//! Which places are found to be dangerous, and which are not.

use super::check_template;

fn faults(source: &str) -> Vec<String> {
    check_template("t", source)
        .into_iter()
        .map(|fault| fault.to_string())
        .collect()
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
        "<a href=\"{{ a|url }}/notes/{{ id }}\">",
        "<a href=\"/{% for a in b %}{{ a }}/{% endfor %}\">",
        "<script src=\"https://cdn.example/{{ x }}\"></script><script src=\"static/{{ x }}\"></script>",
        "<meta name=\"description\" content=\"{{ x }}\"><meta http-equiv=\"a\" content=\"b\">",
        "<p data-x='{{ x|tojson }}'>",
        "<title>{% if a %}It's{% else %}{{ x }}{% endif %}</title>",
        "<script>// it's\nlet a = {{ x|tojson(indent=2) }} / 2, b = 'it\\'s', c = /[/\"]/, d = {{ y|tojson }};</script>",
        "{{ {'a': {'b': 1}} }}<p title=\"{{ x }}\">",
        "1 <{# #} 2 {{ x }}",
    ] {
        assert_eq!(faults(good), Vec::<String>::new(), "{good}");
    }
}

const REFUSED: &[(&str, &str)] = &[
    ("<p title={{ x }}>", "without quotes"),
    ("<p title=a{{ x }}>", "without quotes"),
    ("<p {{ x }}>", "in a tag"),
    ("<p on{{ x }}=\"a\">", "in a tag"),
    ("<{{ x }}>", "a whole tag"),
    ("<{{ x }} class=\"a\">", "a whole tag"),
    ("</{{ x }}>", "a whole tag"),
    ("a < {{- x }}>", "a whole tag"),
    ("<{% if a %}{{ x }}{% else %}p{% endif %}>", "a whole tag"),
    ("<{% if a %}a href={{ x }}{% endif %}>", "without quotes"),
    ("<p title= {{- x }}>", "without quotes"),
    ("<!--><script>\"--> {{ x }}\"</script>", "in a script"),
    ("<?x a=\"><script>{{ x }}</script>", "in a script"),
    ("<p onclick=\"a('{{ x }}')\">", "is script"),
    ("<p ONCLICK='{{ x|escapejs }}'>", "is script"),
    ("<p style=\"color:{{ x }}\">", "in a style"),
    ("<style>p{color:{{ x }}}</style>", "no filter helps"),
    ("<script>let a = {{ x }}</script>", "in a script"),
    ("<script>let a = \"{{ x }}\"</script>", "in a script"),
    ("<script>let a = {{ x|escapejs }}</script>", "in a script"),
    ("<script>let a = \"{{ x|tojson }}\"</script>", "in a script"),
    ("<script>let a = `{{ x|escapejs }}`</script>", "in a script"),
    ("<SCRIPT\n>{{ x }}</SCRIPT>", "in a script"),
    ("<script>let a = \"by {{ x|tojson }}\"</script>", "in a script"),
    ("<script>let a = `by {{ x|tojson }}`</script>", "in a script"),
    ("<script>/* {{ x|tojson }} */</script>", "in a script"),
    ("<script>// {{ x|tojson }}</script>", "in a script"),
    (
        "<script>f(/\"/g); let a = \"\\\"{{ x|tojson }}\"</script>",
        "in a script",
    ),
    (
        "<script>let a = \"b\"{{ x|escapejs }}\"\"</script>",
        "in a script",
    ),
    ("<script>let a = '\"{{ x|escapejs }}\"'</script>", "in a script"),
    (
        "<script>let a = \"{% if b %}\"{% endif %}; {{ x|tojson }}</script>",
        "different places",
    ),
    ("<script>'</scriptx>'; {{ x }}</script>", "in a script"),
    ("<a href=\"{{ x }}\">", "|url"),
    ("<a href=\" {{ x }}\">", "|url"),
    ("<a href='{{ x|url|upper }}'>", "|url"),
    ("<a href=\"{{ a if b else c|url }}\">", "|url"),
    ("<a href=\"{{ a ~ b|url }}\">", "|url"),
    ("<a href=\"{{ '|url' }}\">", "|url"),
    ("<a href=\"java{{ x }}\">", "scheme"),
    ("<a href=\"{{ a|url }}{{ b }}\">", "scheme"),
    ("<a href=\"{{ a|url }}:{{ b }}\">", "scheme"),
    ("<a href=\"{% for a in b %}{{ a|url }}{% endfor %}\">", "scheme"),
    (
        "<a href=\"{% filter trim %}{{ x|url }}{% endfilter %}\">",
        "{% filter %}",
    ),
    ("<a href=\"{{ x|url()[1:] }}\">", "|url"),
    ("<a href=\"{{ {'a': {'b': x}} }}\">", "|url"),
    ("<a href=\"javascript:a({{ x|url }})\">", "scheme"),
    ("<a href=\"javascript:/{{ x }}\">", "scheme"),
    ("<a href=\"{% if a %}/{% endif %}{{ x }}\">", "scheme"),
    ("<form action=\"{{ x }}\">", "|url"),
    ("<button formaction=\"{{ x }}\">", "|url"),
    ("<script src=\"{{ x|url }}\"></script>", "leads"),
    ("<base href=\"{{ x|url }}\">", "leads"),
    ("<script src=\"/{{ x }}\"></script>", "leads"),
    ("<script src=\"//{{ x }}/a.js\"></script>", "leads"),
    ("<script src=\"https://{{ x }}/a.js\"></script>", "leads"),
    (
        "<script src=\"{% if a %}/{% else %}/static/{% endif %}{{ x }}\"></script>",
        "leads",
    ),
    (
        "<meta http-equiv=\"refresh\" content=\"0;url={{ x }}\">",
        "browsers obey",
    ),
    (
        "<meta content=\"0;url={{ x }}\" HTTP-EQUIV=refresh>",
        "browsers obey",
    ),
    (
        "<svg><a><animate attributeName=href to=\"{{ x }}\"></a></svg>",
        "make any link",
    ),
    ("<p data-x=\"{{ x|tojson }}\">", "JSON has such quotes"),
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
];

#[test]
fn places_in_which_a_value_is_code_are_refused() {
    for (bad, why) in REFUSED {
        let found = faults(bad);
        assert!(found.iter().any(|fault| fault.contains(why)), "{bad}: {found:?}");
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

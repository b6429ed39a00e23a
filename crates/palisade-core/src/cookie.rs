//! Cookies: parsed as Django parses them, built with every attribute and prefix, judged.

//! Every attack, a line each: what it needs, its function, the threat, what a hostile person does, the published holes it repeats.
//!
//! An attack that is not here is not run. Its name, with dashes, is its id, which stands in `docs/gauntlet.md` and on the threat's page.

use palisade::core::Threat;

use super::card::{Attack, Run};
use super::{
    access, account, address, clear, diagnostics, exhaustion, exposure, forgery, framing, guessing, inert,
    leaks, letters, links, media, network, overlay, power, query, recovery, script, session, stack, stored,
};

macro_rules! attacks {
    ($($need:ident $room:ident::$name:ident: $threat:ident, $title:literal $(, $replayed:literal)*;)*) => {
        &[$(Attack {
            name: stringify!($name),
            threat: Threat::$threat,
            title: $title,
            replays: &[$($replayed),*],
            run: run!($need $room::$name),
        }),*]
    };
}

macro_rules! run {
    (Lured $room:ident::$name:ident) => {
        Run::Lured(|arena, lure| Box::pin($room::$name(arena, lure)))
    };
    ($need:ident $room:ident::$name:ident) => {
        Run::$need(|site| Box::pin($room::$name(site)))
    };
}

/// Every attack, room by room.
pub const ATTACKS: &[Attack] = attacks! {
    Site access::note_read_by_its_number: BrokenAccessControl, "Opens somebody else's note by its number";
    Site access::note_rewritten_by_its_number: BrokenAccessControl, "Rewrites somebody else's note by its number";
    Site access::note_deleted_by_its_number: BrokenAccessControl, "Deletes somebody else's note by its number";
    Site access::note_found_in_ones_own_lists: BrokenAccessControl, "Looks for somebody else's notes in their own lists";
    Site access::grant_used_after_it_was_taken_back: BrokenAccessControl, "Goes on editing a note that is no longer shared, with the form that was open";
    Site access::grant_used_after_its_day: BrokenAccessControl, "Goes on reading and editing a note after the last day for which it was shared";
    Site access::viewer_made_an_editor: BrokenAccessControl, "Makes an editor of a viewer, by a field of the form and by sharing the note with themselves";

    Browser account::admin_by_sign_up: MassAssignment, "Signs up with `isAdmin=true` among the fields";
    Browser account::admin_by_profile: MassAssignment, "Saves their own profile with `isAdmin=true` among the fields";
    Site account::admin_by_json: MassAssignment, "Sends JSON with `is_staff` where the page sends a form";

    Browser exposure::secret_in_address: SensitiveDataExposure, "Reads a new secret in the address of the page that shows it";
    Lured exposure::private_page_read_across_origins: SensitiveDataExposure, "Reads the victim's page by script from another origin, with the victim's cookies";
    Browser exposure::script_in_a_note: CrossSiteScripting, "Keeps a note that is script, for the page that shows it to run";
    Site exposure::page_under_another_host: UntrustedHost, "Asks for a page under a host name of their own";
    Site exposure::login_form_in_clear: InsecureTransport, "Reads the page that takes the password in clear, where a visitor comes who types no scheme";

    Lured forgery::forged_form_post: CrossSiteRequestForgery, "Has the victim's browser post the profile form, by a page that submits itself";
    Browser forgery::forged_form_post_with_planted_token: CrossSiteRequestForgery, "Plants a token as a cookie from a subdomain, and posts a form with the same token";
    Lured forgery::forged_form_post_without_origin: CrossSiteRequestForgery, "Posts that form from a page that hides where it comes from, whose origin browsers call null";
    Lured forgery::forged_fetch_with_stolen_token: CrossSiteRequestForgery, "Reads the token off the victim's own page by script, and posts the form with it";
    Lured forgery::forged_fetch: CrossSiteRequestForgery, "Posts the profile form by script, with the victim's cookies";
    Lured forgery::forged_fetch_with_guessed_token: CrossSiteRequestForgery, "Posts the form by script, with a guess in the header in which scripts send the token";
    Lured forgery::forged_login: CrossSiteRequestForgery, "Logs the victim in as the attacker, to read what they write next";
    Lured forgery::forged_logout: CrossSiteRequestForgery, "Logs the victim out, by a page that submits itself";

    Lured framing::lent_click: Clickjacking, "Frames a page of the victim's and takes their click on a button in it";
    Lured framing::notes_in_a_frame: Clickjacking, "Frames the page with the victim's notes";
    Lured framing::login_page_in_a_frame: Clickjacking, "Frames the page that takes the password, to lay something over it";
    Lured framing::sign_up_page_in_a_frame: Clickjacking, "Frames the page where an account is made";
    Lured framing::error_page_in_a_frame: Clickjacking, "Frames the page of an error, which often has no headers";
    Lured framing::notes_in_a_frame_in_a_frame: Clickjacking, "Frames a page of their own that frames the notes";
    Lured framing::password_page_in_a_sandbox: Clickjacking, "Frames a page that has a script against frames, and forbids the frame to lead the window elsewhere";
    Own framing::widget_in_a_frame_of_a_namesake: Clickjacking, "Frames the widget from a site that is called almost like those that may";

    Site guessing::passwords_in_a_row: CredentialGuessing, "Tries a list of passwords at one account, one after another";
    Site guessing::passwords_at_once: CredentialGuessing, "Tries the list all at once, so that no count of one try is seen by another";
    Site guessing::passwords_from_made_up_addresses: CredentialGuessing, "Tries the list with another `X-Forwarded-For` and another spelling of the name each time";
    Site guessing::one_password_at_many_accounts: CredentialGuessing, "Tries one password at many accounts";
    Site guessing::account_told_apart: CredentialGuessing, "Learns from the answer to a wrong password whether there is such an account";
    Own guessing::account_told_apart_by_the_wait: CredentialGuessing, "Learns it from whether, and when, they are told to wait";
    Site guessing::owner_locked_out: CredentialGuessing, "Fails on purpose until the account's owner is locked out";

    Site leaks::live_session_of_a_stolen_table: SessionHijacking, "Sends the keys of a stolen table of sessions as cookies";
    Site leaks::data_of_a_stolen_table: SensitiveDataExposure, "Reads what sessions hold out of a stolen table";
    Site leaks::session_data_moved_to_ones_own: SessionHijacking, "Writes the data of the victim's session into the row of their own";
    Site leaks::private_page_in_a_shared_cache: SensitiveDataExposure, "Finds the victim's page in a shared cache", "CVE-2014-1418";
    Site leaks::page_behind_the_back_button: SensitiveDataExposure, "Presses the back button after the victim has logged out";
    Site leaks::secret_in_log_or_report: SensitiveDataExposure, "Reads what a form held in the log and the reports of a fault";
    Site leaks::secret_in_a_letter_to_an_admin: SensitiveDataExposure, "Reads it in the letter that tells the administrator of a fault";
    Site leaks::settings_in_an_error_page: ExposedDiagnostics, "Reads settings, query or source off the page of a fault";

    Site media::document_guessed_by_its_name: ExposedMedia, "Guesses under which address a web server would serve somebody else's upload";
    Site media::document_fetched_by_its_number: ExposedMedia, "Counts through the numbers of documents while logged in as somebody else";
    Site media::document_fetched_after_it_was_taken_back: ExposedMedia, "Goes on fetching a document that is no longer shared";
    Site media::document_replaced_by_one_of_its_name: ExposedMedia, "Uploads files called like somebody else's, and like a way to it, to take its place", "CVE-2021-28658", "CVE-2021-31542";
    Site media::page_called_a_picture: ExposedMedia, "Uploads a page with script in it that is called a picture";
    Site media::page_beside_a_good_file: ExposedMedia, "Uploads a page with script and a good file under one name, for the form to look at the one and keep the other", "CVE-2023-31047";
    Site media::form_of_a_thousand_files: ResourceExhaustion, "Sends 1,001 files with one form", "CVE-2023-24580";
    Site media::file_that_is_encoded: ResourceExhaustion, "Sends files in base64: cut off within a letter, and of nothing but white space", "CVE-2022-23833", "CVE-2026-33033", "CVE-2026-108147";
    Site media::script_in_a_drawing: ExposedMedia, "Uploads a drawing (SVG) that holds a script";
    Site media::picture_that_is_a_script: ExposedMedia, "Uploads a file that is a picture at its beginning, and a script for who runs it";
    Site media::archive_behind_a_picture: ExposedMedia, "Uploads an archive behind a picture, for who opens it from its end";
    Site media::picture_of_billions_of_points: ExposedMedia, "Uploads a picture of a few bytes that says to have billions of points";
    Site media::place_in_a_shared_photo: ExposedMedia, "Reads out of a shared photo where its owner lives";
    Site media::document_in_a_shared_cache: ExposedMedia, "Reads somebody's document out of a cache that several people share";

    Site links::link_with_a_letter_changed: ExposedMedia, "Changes a link that they were sent, each letter in turn, to open what they were not sent";
    Site links::link_made_up: ExposedMedia, "Makes links up: counted, signed with keys that everybody knows, with an end that is put off";
    Own links::link_used_after_its_end: ExposedMedia, "Keeps a link until it is over, and opens it then";
    Site links::link_used_after_it_was_taken_back: ExposedMedia, "Opens a link after its maker has taken it back";
    Site links::link_taken_back_asked_otherwise: ExposedMedia, "Asks a link that was taken back for its head, for a part, and whether it has changed";
    Site links::link_for_somebody_else: ExposedMedia, "Opens a link that was made for somebody else alone";
    Site links::link_turned_to_another_document: ExposedMedia, "Uses a link to one document as a key to another";
    Site links::link_to_somebody_elses_document: ExposedMedia, "Makes a link to somebody else's document";
    Site links::link_that_outlives_its_document: ExposedMedia, "Opens a link after its document was deleted";
    Site links::link_found_in_the_log: ExposedMedia, "Reads links out of the site's log";
    Site links::link_told_to_the_next_site: ExposedMedia, "Reads a link in the `Referer` of whoever goes on from what it opens";
    Site links::link_kept_alive_by_a_copy: ExposedMedia, "Finds what a link opened in a cache or a search engine, after it was taken back";

    Own network::claimed_office_address: ExposedDiagnostics, "Says in every header there is that they come from the office", "CVE-2015-0219";
    Own network::claimed_certificate: InsecureTransport, "Says in headers that a proxy has verified their certificate";
    Own network::staff_password_from_elsewhere: ExposedDiagnostics, "Opens a room of the staff area from elsewhere, with a stolen password";
    Own network::staff_password_without_a_certificate: InsecureTransport, "Opens a room that asks for a certificate with a stolen password alone";
    Own network::certificate_of_another_authority: InsecureTransport, "Shows a certificate in the name of staff from an authority of their own";
    Own network::certificate_of_a_server: InsecureTransport, "Shows the certificate of a server, from the right authority, as a person's";

    Browser overlay::click_through_an_invisible_frame: Clickjacking, "Lays the page invisible over a button of their own, for the victim's pointer to go through";
    Browser overlay::click_through_an_object: Clickjacking, "Lays it there as an object, for a site that thinks of frames alone";
    Browser overlay::click_through_an_embed: Clickjacking, "Lays it there as an embedded plugin";
    Browser overlay::words_typed_into_an_invisible_frame: Clickjacking, "Lets the victim type into a field that they do not see, and press Enter";
    Own overlay::widget_in_a_frame_of_another: Clickjacking, "Frames what one partner may frame, as that partner in clear and from a subdomain";

    Site recovery::poisoned_reset_link: UntrustedHost, "Asks for the victim's link to reset the password, and calls the site by their own name", "CVE-2012-4520";
    Site recovery::reset_link_used_twice: CredentialGuessing, "Uses a link to reset the password that its owner has used before";
    Site recovery::reset_link_after_a_new_password: CredentialGuessing, "Uses such a link from before the victim changed the password";
    Site recovery::reset_link_of_another: CredentialGuessing, "Uses their own link for somebody else's account";
    Site recovery::account_told_apart_by_its_reset: CredentialGuessing, "Asks for links to many addresses, to learn which are known", "CVE-2024-45231";
    Site recovery::half_login: CredentialGuessing, "Goes in with the password alone, past the second factor";
    Site recovery::code_replayed: CredentialGuessing, "Gives a code that they read over the victim's shoulder";
    Site recovery::recovery_code_twice: CredentialGuessing, "Gives a recovery code that was used";
    Site recovery::codes_guessed_in_a_row: CredentialGuessing, "Guesses codes in a row until one fits";

    Site script::script_in_markdown: CrossSiteScripting, "Keeps notes that are script in HTML and in Markdown";
    Site script::script_in_a_link: CrossSiteScripting, "Keeps links that run script when somebody clicks on them";
    Site script::script_in_a_title: CrossSiteScripting, "Gives a note a title that is script";
    Site script::script_in_an_address: CrossSiteScripting, "Writes a script into an address that leads nowhere, for the page that says so";
    Site script::secret_by_order: SqlInjection, "Sorts by a query that depends on a letter of somebody else's secret", "CVE-2021-35042";
    Site script::secret_by_search: SqlInjection, "Searches for words that end the query's text and put another query behind it";
    Site script::wild_card_in_a_search: SqlInjection, "Searches for wild cards, which find what does not have them in it";
    Site script::line_written_into_the_log: CrossSiteScripting, "Sends reports that end the line of the log and begin one of their own";
    Site script::flood_of_policy_reports: ResourceExhaustion, "Sends more different reports of violated policies than anybody could read";

    Browser session::planted_session_id: SessionHijacking, "Plants a session id before the victim logs in, and uses it afterwards";
    Browser session::planted_session: SessionHijacking, "Plants their own living session before the victim logs in, and uses it afterwards";
    Browser session::session_id_after_logout: SessionHijacking, "Comes back with a copy of the cookie after the victim has logged out";
    Browser session::session_id_after_a_new_password: SessionHijacking, "Comes back with a copy of the cookie after the victim has changed the password";
    Browser session::session_id_read_by_script: SessionHijacking, "Reads the session id by script";
    Site session::session_id_counted_on: SessionHijacking, "Counts on from their own session id to those that were handed out before";

    Site address::onward_by_slashes: UntrustedHost, "Lets a login go on to another site, which begins with two slashes, a backslash, or a scheme with none", "CVE-2017-7233";
    Site address::onward_by_a_user_part: UntrustedHost, "Lets a login go on to an address that has the site's name before an @, or at the front of a longer name";
    Site address::onward_by_unseen_letters: UntrustedHost, "Lets a login go on to an address with tabs, line ends and spaces, which a browser takes out and a check may not", "CVE-2021-32052";
    Site address::foreign_address_set_right: UntrustedHost, "Asks for `//evil.test` and its like, which an address that is set right leads to", "CVE-2018-14574";
    Site address::target_against_host: UntrustedHost, "Names one host in the target of the request and another in the header";
    Site address::two_hosts: UntrustedHost, "Sends two Host headers, of which a proxy reads one and the site the other";
    Site address::host_within_a_host: UntrustedHost, "Hides another name in the Host behind the site's own: before an @, behind a port, with a dot too many";
    Site address::mail_by_a_port: UntrustedHost, "Asks for a link to the victim's account under a host with another behind its port", "CVE-2012-4520";
    Site address::made_up_address_in_the_log: UntrustedHost, "Says in every header there is that the request comes from elsewhere, to be written down so";

    Site clear::session_sent_in_clear: InsecureTransport, "Records the session cookie as the victim's old bookmark sends it in clear, and uses it over TLS";
    Site clear::login_taken_in_clear: InsecureTransport, "Records a login that a form of another page sends in clear";
    Site clear::old_tls: InsecureTransport, "Offers nothing newer than TLS 1.0 or 1.1, as who has changed the client's hello on its way does";
    Site clear::suite_that_does_not_protect: InsecureTransport, "Offers TLS 1.2 with nothing but suites of CBC and of keys without forward secrecy";
    Site clear::second_visit_in_clear: InsecureTransport, "Answers in clear in the site's place, after the victim has been there once over TLS";
    Site clear::cookie_sent_in_clear: InsecureTransport, "Puts a picture with an address in clear before the logged-in victim, and reads the cookies that come along";
    Site clear::link_in_clear_by_a_header: InsecureTransport, "Says in headers that the connection is not TLS, so that the link in a mail is one in clear", "CVE-2026-3902";
    Site clear::clear_request_called_secure: InsecureTransport, "Says of a request in clear, in every header there is, that a proxy has received it over TLS";
    Site clear::login_that_leads_into_the_clear: InsecureTransport, "Lets a login lead to the same site in clear, where everything that follows can be read";

    Site diagnostics::trace: ExposedDiagnostics, "Sends TRACE with a cookie that script cannot read, and reads it in the answer";
    Site diagnostics::files_left_behind: ExposedDiagnostics, "Asks for the files that are left in folders: settings, keys, a repository, a copy of the database";
    Site diagnostics::words_on_the_missing_page: ExposedDiagnostics, "Makes an address of words that a page which is not found shows as the site's own", "CVE-2019-3498";
    Site diagnostics::routes_on_the_missing_page: ExposedDiagnostics, "Asks for what is missing, to be told what there is";
    Site diagnostics::insides_by_wrong_types: ExposedDiagnostics, "Sends what no form sends, wrong types, broken encodings, to be told what could not make anything of it", "CVE-2023-41164";
    Site diagnostics::line_in_the_log_by_an_address: ExposedDiagnostics, "Asks for addresses whose letters end a line of the log, colour it, and write the next", "CVE-2025-48432";

    Site exhaustion::head_a_letter_at_a_time: ResourceExhaustion, "Asks with a head that comes a letter at a time and does not end";
    Site exhaustion::body_a_letter_at_a_time: ResourceExhaustion, "Posts a form whose body comes a letter at a time, and is said to be long";
    Site exhaustion::handshake_never_ended: ResourceExhaustion, "Begins to shake hands, a letter at a time, and never gets to the end of it";
    Site exhaustion::answers_never_read: ResourceExhaustion, "Asks for one page after another and reads none of them";
    Site exhaustion::places_of_everybody: ResourceExhaustion, "Holds more connections than a whole office has, and is served on one more";
    Site exhaustion::head_of_thousands_of_fields: ResourceExhaustion, "Sends a head of twenty thousand fields";
    Site exhaustion::one_field_thousands_of_times: ResourceExhaustion, "Sends one field twenty thousand times, for the site to join what is equal again and again", "CVE-2025-14550";
    Site exhaustion::body_of_megabytes: ResourceExhaustion, "Sends a body that does not say how long it is, and is 32 MiB";
    Site exhaustion::form_of_a_thousand_and_one_fields: ResourceExhaustion, "Posts a form of 1,001 fields";
    Site exhaustion::password_of_a_megabyte: ResourceExhaustion, "Signs up with a password of a megabyte, and lets the site hash it";
    Site exhaustion::requests_taken_back: ResourceExhaustion, "Opens a thousand requests over HTTP/2 and takes them back at once", "CVE-2023-44487";
    Site exhaustion::frames_that_bring_nothing: ResourceExhaustion, "Sends frames over HTTP/2 that cost work and bring nothing, twenty thousand of each kind", "CVE-2019-9512", "CVE-2019-9515";

    Site inert::method_said_elsewhere: InertDefence, "Sends the victim to an address that says it is a POST: in a header, in a parameter";
    Site inert::method_that_nobody_guards: InertDefence, "Asks with HEAD, OPTIONS and a method of its own for what only a POST may do";
    Site inert::address_written_otherwise: InertDefence, "Writes the address of the staff area in all the ways that a guard does not know and a router might", "CVE-2021-44420";
    Site inert::type_that_the_check_passes_over: InertDefence, "Posts the victim's form without its token, as a type that a check of forms may not look at";
    Site inert::token_of_another_session: InertDefence, "Posts the victim's form with a token that belongs to the attacker's own session";
    Site inert::write_races_the_logout: InertDefence, "Logs out and writes at the same moment, many times: the write may put back what the logout has ended";
    Site inert::logout_cut_off: InertDefence, "Cuts the connection as soon as the victim's logout has left, and keeps a copy of the cookie";

    Site letters::address_that_folds_into_the_victims: CredentialGuessing, "Asks for a link at an address that becomes the victim's once its case is changed, and is the attacker's own", "CVE-2019-19844";
    Site letters::accounts_told_apart_by_a_broken_mail: CredentialGuessing, "Asks for links while no mail can be sent, to see for whom that is a fault", "CVE-2024-45231";

    Site power::power_with_every_form: MassAssignment, "Sends every word for power along with each form that there is";
    Site power::power_in_the_address: MassAssignment, "Sends power in the address of a form, where it is no field at all";
    Site power::power_in_parts: MassAssignment, "Sends a field of the form twice, once as it should be and once as power, in the other order, and as parts", "CVE-2021-23336";
    Site power::password_by_its_column: MassAssignment, "Sets another password on the own profile by a field that is called as the column is";
    Site power::row_of_another_by_its_column: MassAssignment, "Writes a note, and says with it that it is the victim's, and has the number of one that is theirs", "CVE-2026-4277";

    Site query::number_that_is_a_condition: SqlInjection, "Asks for the note whose number is `1 OR 1=1`, a list, a sum, or another query", "CVE-2020-9402";
    Site query::truth_by_what_is_found: SqlInjection, "Searches with a condition on another's secret, and reads the answer off whether anything is found";
    Site query::truth_by_the_wait: SqlInjection, "Searches and sorts with a condition that makes the database work for a while when it holds, and reads the answer off a watch";
    Site query::name_that_breaks_a_later_query: SqlInjection, "Signs up under a name, and writes a title, that break a query which reads them again later";
    Site query::quote_everywhere: SqlInjection, "Puts a quote wherever text is taken, and waits for the database to complain";

    Site stack::length_and_chunks: OutdatedSoftware, "Sends a length and chunks: who stands in front goes by the one, the site by the other";
    Site stack::hidden_chunks: OutdatedSoftware, "Hides from whoever stands in front that there are chunks: misspelt, folded, twice, behind a space", "CVE-2021-21299";
    Site stack::two_lengths: OutdatedSoftware, "Sends two lengths, or one that is written in two ways: who stands in front goes by the first", "CVE-2021-32715";
    Site stack::bare_line_feed: OutdatedSoftware, "Ends a line, and a head, with a line feed alone, which is a letter of the value to who stands in front", "CVE-2019-16785";
    Site stack::chunk_extension: OutdatedSoftware, "Ends the line of a chunk's size with a line feed within its extension";
    Site stack::size_of_a_chunk: OutdatedSoftware, "Sends a size of a chunk that is a number to some and none to others: too long, with a sign, with `0x`", "CVE-2021-32714";
    Site stack::banner: OutdatedSoftware, "Reads off pages, errors and nonsense which software answers, and which version of it";

    Site stored::password_in_the_table: WeakPasswordStorage, "Looks for the password itself in the stolen table";
    Site stored::equal_passwords_seen: WeakPasswordStorage, "Looks for two people with the same password, to have both for the price of one";
    Site stored::list_of_words_within_a_second: WeakPasswordStorage, "Tries a list of words on the stolen row, for a second";
    Site stored::hash_typed_as_a_password: WeakPasswordStorage, "Types what stands in the stolen row as the password";
    Site stored::old_hash_that_stays: WeakPasswordStorage, "Steals the table after somebody with a hash of old times has logged in, and tries the list on it";
    Site stored::password_in_the_log: WeakPasswordStorage, "Reads the log after somebody has signed up, mistyped, logged in, and once put the password into the address";
    Site stored::beginning_of_a_long_password: WeakPasswordStorage, "Types only the beginning of a long password, in case the rest was cut off";
    Site stored::password_that_everybody_guesses: WeakPasswordStorage, "Asks the sign-up for what everybody guesses first: the best known passwords, one's own name, nothing but digits";
};

/// Why nobody attacks a threat here.
pub const NOT_ATTACKED: &[(Threat, &str)] = &[];

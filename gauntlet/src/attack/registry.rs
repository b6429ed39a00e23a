//! Every attack, a line each: what it needs, its function, the threat, what a hostile person does, the published holes it repeats.
//!
//! An attack that is not here is not run. Its name, with dashes, is its id, which stands in `docs/gauntlet.md` and on the threat's page.

use palisade::core::Threat;

use super::card::{Attack, Run};
use super::{
    access, account, exposure, forgery, framing, guessing, leaks, network, recovery, script, session,
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

    Browser exposure::secret_in_address: SensitiveDataExposure, "Reads a new secret in the address of the page that shows it";
    Lured exposure::private_page_read_across_origins: SensitiveDataExposure, "Reads the victim's page by script from another origin, with the victim's cookies";
    Browser exposure::script_in_a_note: CrossSiteScripting, "Keeps a note that is script, for the page that shows it to run";
    Site exposure::page_under_another_host: UntrustedHost, "Asks for a page under a host name of their own";
    Site exposure::login_form_in_clear: InsecureTransport, "Reads the page that takes the password in clear, where a visitor comes who types no scheme";

    Lured forgery::forged_form_post: CrossSiteRequestForgery, "Has the victim's browser post the profile form, by a page that submits itself";
    Browser forgery::forged_form_post_with_planted_token: CrossSiteRequestForgery, "Plants a token as a cookie from a subdomain, and posts a form with the same token";
    Lured forgery::forged_fetch: CrossSiteRequestForgery, "Posts the profile form by script, with the victim's cookies";
    Lured forgery::forged_fetch_with_guessed_token: CrossSiteRequestForgery, "Posts the form by script, with a guess in the header in which scripts send the token";
    Lured forgery::forged_login: CrossSiteRequestForgery, "Logs the victim in as the attacker, to read what they write next";

    Lured framing::lent_click: Clickjacking, "Frames a page of the victim's and takes their click on a button in it";
    Lured framing::notes_in_a_frame: Clickjacking, "Frames the page with the victim's notes";
    Lured framing::login_page_in_a_frame: Clickjacking, "Frames the page that takes the password, to lay something over it";
    Lured framing::sign_up_page_in_a_frame: Clickjacking, "Frames the page where an account is made";
    Lured framing::error_page_in_a_frame: Clickjacking, "Frames the page of an error, which often has no headers";

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

    Own network::claimed_office_address: ExposedDiagnostics, "Says in every header there is that they come from the office", "CVE-2015-0219";
    Own network::claimed_certificate: InsecureTransport, "Says in headers that a proxy has verified their certificate";
    Own network::staff_password_from_elsewhere: ExposedDiagnostics, "Opens a room of the staff area from elsewhere, with a stolen password";
    Own network::staff_password_without_a_certificate: InsecureTransport, "Opens a room that asks for a certificate with a stolen password alone";
    Own network::certificate_of_another_authority: InsecureTransport, "Shows a certificate in the name of staff from an authority of their own";
    Own network::certificate_of_a_server: InsecureTransport, "Shows the certificate of a server, from the right authority, as a person's";

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
};

/// Why nobody attacks a threat here; every other has at least five attacks.
pub const NOT_ATTACKED: &[(Threat, &str)] = &[
    (
        Threat::OutdatedSoftware,
        "A fix that was not applied is a hole of another threat, which is attacked there: the published holes that an attack repeats \
         stand in its last column. What is left of this threat is whether somebody is told, and that is no matter of a running site.",
    ),
    (
        Threat::InertDefence,
        "A defence that does not run is seen by no request of its own but by the attacks on what it was to defend: each of them has to \
         succeed against the weak site, so that one which the vault withstands was withstood by something that runs.",
    ),
];

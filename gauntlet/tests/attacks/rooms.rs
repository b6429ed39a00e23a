//! The attacks that are functions of a target alone, each on both.

use anyhow::Result;
use gauntlet::Target;
use gauntlet::attack::{Outcome, address, clear, diagnostics, inert, letters, power, query, stack, stored};
use testkit::Authority;

/// Runs an attack against both.
async fn on_both(attack: impl AsyncFn(&Target) -> Result<Outcome>) {
    let weak = Target::weak_twin(&Authority::new().unwrap()).await.unwrap();
    let seen = attack(&weak).await;
    let vault = Target::vault().await.unwrap();
    let outcome = attack(&vault).await;
    println!("weak: {seen:?}\nvault: {outcome:?}");
    assert!(seen.unwrap().succeeded, "the weak twin withstood");
    assert!(!outcome.unwrap().succeeded, "the vault fell\n{}", vault.log());
}

#[tokio::test]
async fn onward_by_slashes() {
    on_both(address::onward_by_slashes).await;
}

#[tokio::test]
async fn onward_by_a_user_part() {
    on_both(address::onward_by_a_user_part).await;
}

#[tokio::test]
async fn onward_by_unseen_letters() {
    on_both(address::onward_by_unseen_letters).await;
}

#[tokio::test]
async fn foreign_address_set_right() {
    on_both(address::foreign_address_set_right).await;
}

#[tokio::test]
async fn target_against_host() {
    on_both(address::target_against_host).await;
}

#[tokio::test]
async fn two_hosts() {
    on_both(address::two_hosts).await;
}

#[tokio::test]
async fn host_within_a_host() {
    on_both(address::host_within_a_host).await;
}

#[tokio::test]
async fn mail_by_a_port() {
    on_both(address::mail_by_a_port).await;
}

#[tokio::test]
async fn made_up_address_in_the_log() {
    on_both(address::made_up_address_in_the_log).await;
}

#[tokio::test]
async fn session_sent_in_clear() {
    on_both(clear::session_sent_in_clear).await;
}

#[tokio::test]
async fn login_taken_in_clear() {
    on_both(clear::login_taken_in_clear).await;
}

#[tokio::test]
async fn old_tls() {
    on_both(clear::old_tls).await;
}

#[tokio::test]
async fn suite_that_does_not_protect() {
    on_both(clear::suite_that_does_not_protect).await;
}

#[tokio::test]
async fn second_visit_in_clear() {
    on_both(clear::second_visit_in_clear).await;
}

#[tokio::test]
async fn cookie_sent_in_clear() {
    on_both(clear::cookie_sent_in_clear).await;
}

#[tokio::test]
async fn link_in_clear_by_a_header() {
    on_both(clear::link_in_clear_by_a_header).await;
}

#[tokio::test]
async fn login_that_leads_into_the_clear() {
    on_both(clear::login_that_leads_into_the_clear).await;
}

#[tokio::test]
async fn trace() {
    on_both(diagnostics::trace).await;
}

#[tokio::test]
async fn files_left_behind() {
    on_both(diagnostics::files_left_behind).await;
}

#[tokio::test]
async fn words_on_the_missing_page() {
    on_both(diagnostics::words_on_the_missing_page).await;
}

#[tokio::test]
async fn routes_on_the_missing_page() {
    on_both(diagnostics::routes_on_the_missing_page).await;
}

#[tokio::test]
async fn insides_by_wrong_types() {
    on_both(diagnostics::insides_by_wrong_types).await;
}

#[tokio::test]
async fn line_in_the_log_by_an_address() {
    on_both(diagnostics::line_in_the_log_by_an_address).await;
}

#[tokio::test]
async fn method_said_elsewhere() {
    on_both(inert::method_said_elsewhere).await;
}

#[tokio::test]
async fn method_that_nobody_guards() {
    on_both(inert::method_that_nobody_guards).await;
}

#[tokio::test]
async fn address_written_otherwise() {
    on_both(inert::address_written_otherwise).await;
}

#[tokio::test]
async fn type_that_the_check_passes_over() {
    on_both(inert::type_that_the_check_passes_over).await;
}

#[tokio::test]
async fn token_of_another_session() {
    on_both(inert::token_of_another_session).await;
}

#[tokio::test]
async fn write_races_the_logout() {
    on_both(inert::write_races_the_logout).await;
}

#[tokio::test]
async fn logout_cut_off() {
    on_both(inert::logout_cut_off).await;
}

#[tokio::test]
async fn address_that_folds_into_the_victims() {
    on_both(letters::address_that_folds_into_the_victims).await;
}

#[tokio::test]
async fn accounts_told_apart_by_a_broken_mail() {
    on_both(letters::accounts_told_apart_by_a_broken_mail).await;
}

#[tokio::test]
async fn power_with_every_form() {
    on_both(power::power_with_every_form).await;
}

#[tokio::test]
async fn power_in_the_address() {
    on_both(power::power_in_the_address).await;
}

#[tokio::test]
async fn power_in_parts() {
    on_both(power::power_in_parts).await;
}

#[tokio::test]
async fn password_by_its_column() {
    on_both(power::password_by_its_column).await;
}

#[tokio::test]
async fn row_of_another_by_its_column() {
    on_both(power::row_of_another_by_its_column).await;
}

#[tokio::test]
async fn number_that_is_a_condition() {
    on_both(query::number_that_is_a_condition).await;
}

#[tokio::test]
async fn truth_by_what_is_found() {
    on_both(query::truth_by_what_is_found).await;
}

#[tokio::test]
async fn truth_by_the_wait() {
    on_both(query::truth_by_the_wait).await;
}

#[tokio::test]
async fn name_that_breaks_a_later_query() {
    on_both(query::name_that_breaks_a_later_query).await;
}

#[tokio::test]
async fn quote_everywhere() {
    on_both(query::quote_everywhere).await;
}

#[tokio::test]
async fn length_and_chunks() {
    on_both(stack::length_and_chunks).await;
}

#[tokio::test]
async fn hidden_chunks() {
    on_both(stack::hidden_chunks).await;
}

#[tokio::test]
async fn two_lengths() {
    on_both(stack::two_lengths).await;
}

#[tokio::test]
async fn bare_line_feed() {
    on_both(stack::bare_line_feed).await;
}

#[tokio::test]
async fn chunk_extension() {
    on_both(stack::chunk_extension).await;
}

#[tokio::test]
async fn size_of_a_chunk() {
    on_both(stack::size_of_a_chunk).await;
}

#[tokio::test]
async fn banner() {
    on_both(stack::banner).await;
}

#[tokio::test]
async fn password_in_the_table() {
    on_both(stored::password_in_the_table).await;
}

#[tokio::test]
async fn equal_passwords_seen() {
    on_both(stored::equal_passwords_seen).await;
}

#[tokio::test]
async fn list_of_words_within_a_second() {
    on_both(stored::list_of_words_within_a_second).await;
}

#[tokio::test]
async fn hash_typed_as_a_password() {
    on_both(stored::hash_typed_as_a_password).await;
}

#[tokio::test]
async fn old_hash_that_stays() {
    on_both(stored::old_hash_that_stays).await;
}

#[tokio::test]
async fn password_in_the_log() {
    on_both(stored::password_in_the_log).await;
}

#[tokio::test]
async fn beginning_of_a_long_password() {
    on_both(stored::beginning_of_a_long_password).await;
}

#[tokio::test]
async fn password_that_everybody_guesses() {
    on_both(stored::password_that_everybody_guesses).await;
}

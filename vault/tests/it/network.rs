//! The staff area: who gets in, and from where.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::Result;
use testkit::certificate;

use crate::program::{refused_in_one_sentence, start, start_with, vault};
use crate::site::{PASSWORD, Site};

#[tokio::test]
async fn staff_area_is_for_staff() {
    let site = Site::open();
    let stranger = site.visitor().open("/staff/").await;
    assert_eq!(
        (stranger.status.as_u16(), stranger.header("location")),
        (302, "/login/?next=/staff/")
    );
    let mut anna = site.member("anna").await;
    let refused = anna.open("/staff/").await;
    assert_eq!(refused.status, 403);
    refused.says("for its staff").hides("Last login");
    anna.open("/").await.hides("/staff/");

    let mut berta = site.staff("berta").await;
    berta.open("/").await.says("<a href=\"/staff/\">Staff</a>");
    let page = berta.open("/staff/").await;
    assert_eq!(page.status, 200);
    page.says("<th scope=\"row\">anna</th>")
        .says("<th scope=\"row\">berta</th>")
        .says("<span class=\"badge\">staff</span>");
}

#[tokio::test]
async fn list_of_accounts_goes_on_after_a_name() {
    let site = Site::open();
    site.member("anna").await;
    let mut berta = site.staff("berta").await;
    berta
        .open("/staff/?after=anna")
        .await
        .hides(">anna</th>")
        .says(">berta</th>")
        .says("From the beginning");
    berta
        .open("/staff/?after=zoe")
        .await
        .says("There is nobody more.");
}

#[tokio::test]
async fn staff_area_is_nowhere_but_on_this_machine_unless_a_network_is_named() {
    let site = Site::open();
    let mut berta = site.staff("berta").await;
    assert_eq!(berta.open("/staff/").await.status, 200);
    let mut away = berta.clone().at_address([192, 0, 2, 7]);
    assert_eq!(away.open("/").await.status, 200, "only the staff area is hidden");
    for path in ["/staff/", "/staff/csp/"] {
        let hidden = away.open(path).await;
        assert_eq!(hidden.status, 404, "{path}");
        hidden.says("It may have been mistyped").hides("Last login");
    }

    let site = Site::reached(|reach| reach.staff_networks = "192.0.2.0/24".parse().unwrap());
    let mut berta = site.staff("berta").await;
    assert_eq!(berta.open("/staff/").await.status, 404);
    let mut there = berta.at_address([192, 0, 2, 7]);
    assert_eq!(there.open("/staff/").await.status, 200);
    // The network lets nobody in who is no member of staff.
    let mut anna = site.member("anna").await.at_address([192, 0, 2, 7]);
    assert_eq!(anna.open("/staff/").await.status, 403);
}

#[tokio::test]
async fn somebody_with_an_account_is_made_staff_beside_the_running_vault() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let staff = |arguments: &[&str]| {
        let mut command = vault(folder.path());
        command.arg("staff").args(arguments);
        command
    };
    let said = refused_in_one_sentence(&mut staff(&["anna"]))?;
    assert!(said.starts_with("vault: there is no database "), "{said}");
    let slip = folder.path().join("slip");
    refused_in_one_sentence(vault(&slip).args(["staff", "anna"]))?;
    assert!(!slip.exists(), "a slip leaves nothing behind");

    let (_process, mut anna) = start(folder.path())?;
    let said = refused_in_one_sentence(&mut staff(&["anna"]))?;
    assert!(
        said.starts_with("vault: there is no account called \"anna\""),
        "{said}"
    );
    let fields = [
        ("username", "anna"),
        ("email", ""),
        ("password1", PASSWORD),
        ("password2", PASSWORD),
    ];
    assert_eq!(anna.submit("/signup/", &fields).await?.status, 303);
    assert_eq!(anna.open("/staff/").await?.status, 403);
    let said = String::from_utf8(staff(&["anna"]).output()?.stdout)?;
    assert!(said.starts_with("anna is a member of staff now"), "{said}");
    assert_eq!(anna.open("/staff/").await?.status, 200);
    assert!(staff(&["anna", "--remove"]).status()?.success());
    assert_eq!(anna.open("/staff/").await?.status, 403);
    Ok(())
}

#[test]
fn networks_of_staff_that_are_none_are_all_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let wrong = [
        "--staff-network",
        "office",
        "--staff-network",
        "10.0.0.1/8",
        "--staff-network",
        "10.0.0.0/8",
    ];
    let said = refused_in_one_sentence(vault(&data).args(wrong))?;
    assert!(
        said.starts_with("vault: --staff-network: \"office\": it is neither"),
        "{said}"
    );
    assert!(
        said.contains("\"10.0.0.1/8\"") && !said.contains("\"10.0.0.0/8\""),
        "{said}"
    );
    assert!(!data.exists(), "a slip left a folder behind");
    Ok(())
}

#[test]
fn authority_of_staff_that_is_none_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let authority = folder.path().join("staff.pem");
    let mut command = vault(folder.path());
    let said = refused_in_one_sentence(command.arg("--client-ca").arg(&authority))?;
    assert_eq!(
        said,
        format!("vault: cannot read {}: it is not there", authority.display())
    );
    fs::write(&authority, "no certificate")?;
    let said = refused_in_one_sentence(vault(folder.path()).arg("--client-ca").arg(&authority))?;
    assert!(said.contains("it holds no PEM certificate"), "{said}");
    Ok(())
}

#[tokio::test]
async fn staff_needs_a_certificate_beside_the_password_where_the_start_says_so() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path();
    let (mut process, mut anna) = start(data)?;
    let fields = [
        ("username", "anna"),
        ("email", ""),
        ("password1", PASSWORD),
        ("password2", PASSWORD),
    ];
    assert_eq!(anna.submit("/signup/", &fields).await?.status, 303);
    assert!(vault(data).args(["staff", "anna"]).status()?.success());
    let made = vault(data).args(["client-certificate", "anna"]).output()?;
    let said = String::from_utf8(made.stdout)?;
    assert!(made.status.success() && said.contains("--client-ca"), "{said}");
    let again = refused_in_one_sentence(vault(data).args(["client-certificate", "anna"]))?;
    assert!(again.contains("is there already"), "{again}");
    let odd = refused_in_one_sentence(vault(data).args(["client-certificate", "../anna"]))?;
    assert!(odd.contains("cannot be the name"), "{odd}");
    let held = data.join("clients/anna.pem");
    assert_eq!(fs::metadata(&held)?.permissions().mode() & 0o777, 0o600);
    assert!(process.terminate()?.success());

    let (_process, without) = start_with(
        data,
        &["--client-ca".as_ref(), data.join("tls/ca.pem").as_os_str()],
    )?;
    let authority = fs::read_to_string(data.join("tls/ca.pem"))?;
    let mut with = without.showing(certificate::showing(&authority, &fs::read_to_string(held)?)?);
    for (mut anna, status) in [(without, 403), (with.stranger(), 200)] {
        let fields = [("username", "anna"), ("password", PASSWORD)];
        assert_eq!(anna.submit("/login/", &fields).await?.status, 303);
        let page = anna.open("/staff/").await?;
        assert_eq!(page.status, status, "{}", page.text());
    }
    // A certificate is no login.
    assert_ne!(with.open("/staff/").await?.status, 200);
    Ok(())
}

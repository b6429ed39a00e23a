//! The staff area: who gets in, and from where.

use crate::site::Site;

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

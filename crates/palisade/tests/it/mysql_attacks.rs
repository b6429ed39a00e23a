//! What a client may try to have a connection to MariaDB handed on in the midst of a transaction.

use std::time::Duration;

use palisade::mysql::{MySqlOptions, field};

use crate::servers::{mariadb, mariadb_database};

/// A request that is given up in the midst of a transaction (the client hung up) leaves no transaction to the next.
#[tokio::test]
async fn a_transaction_that_nobody_waits_for_any_more_is_not_the_next_ones_in_mariadb() {
    let server = mariadb();
    let others = mariadb_database(&server, "given_up", None).await;
    let mut holder = others.connection().await.unwrap();
    let hold = "SELECT GET_LOCK('palisade.held', 60)";
    holder.one(hold, Vec::new()).await.unwrap();
    let database = MySqlOptions::new()
        .connections(1)
        .open(&server.url_of("given_up"))
        .await
        .unwrap();
    database
        .execute("CREATE TABLE note (id int)", Vec::new())
        .await
        .unwrap();
    for slow in [true, false] {
        let mut connection = database.connection().await.unwrap();
        connection.begin().await.unwrap();
        connection
            .execute("INSERT INTO note VALUES (1)", Vec::new())
            .await
            .unwrap();
        if slow {
            let asked = connection.one(hold, Vec::new());
            assert!(
                tokio::time::timeout(Duration::from_millis(20), asked)
                    .await
                    .is_err()
            );
        }
        drop(connection);
        let mut next = database.connection().await.unwrap();
        let row = next.one("SELECT @@in_transaction", Vec::new()).await.unwrap();
        let inside = field::<bool>(&mut row.unwrap(), 0).unwrap();
        assert!(!inside, "in a transaction that another began (slow: {slow})");
        let row = next.one("SELECT count(*) FROM note", Vec::new()).await.unwrap();
        assert_eq!(field::<i64>(&mut row.unwrap(), 0).unwrap(), 0, "slow: {slow}");
    }
}

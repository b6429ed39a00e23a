//! Where the servers keep their data, and the database servers of this run.
//!
//! The database servers are the run's own: started on free ports in temporary folders, ended with it. One that runs on the
//! machine already is never asked. They are set as their makers ship them, so that what is saved is on the disk where
//! that is what they promise; Redis keeps nothing on the disk.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use testkit::{MariaDb, Postgres, Redis};

use crate::process::cpu_time;
use crate::server::Kind;

/// Where a server keeps sessions and users.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ground {
    /// Both in a file of its own.
    Sqlite,
    /// Both in PostgreSQL.
    Postgres,
    /// Sessions in Redis, users in PostgreSQL.
    Redis,
}

impl Ground {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
        }
    }
}

/// Where a program's data is to be, as it is told in its environment.
pub struct Told(Vec<(&'static str, Option<String>)>);

impl Told {
    pub fn tell(&self, command: &mut Command) {
        for (name, address) in &self.0 {
            match address {
                Some(address) => command.env(name, address),
                None => command.env_remove(name),
            };
        }
    }
}

/// The database servers of this run; they end when this is dropped.
#[derive(Default)]
pub struct Databases {
    postgres: Option<Postgres>,
    redis: Option<Redis>,
    mariadb: Option<MariaDb>,
}

impl Databases {
    /// Starts what this ground needs, unless it runs already.
    pub fn provide(&mut self, ground: Ground) -> Result<()> {
        if ground != Ground::Sqlite && self.postgres.is_none() {
            eprintln!("starting PostgreSQL");
            self.postgres = Some(Postgres::durable()?);
        }
        if ground == Ground::Redis && self.redis.is_none() {
            eprintln!("starting Redis");
            self.redis = Some(Redis::with(&["--appendonly", "no"])?);
        }
        Ok(())
    }

    /// Starts all there are.
    pub fn provide_all(&mut self) -> Result<()> {
        self.provide(Ground::Redis)?;
        if self.mariadb.is_none() {
            eprintln!("starting MariaDB");
            self.mariadb = Some(MariaDb::durable()?);
        }
        Ok(())
    }

    /// Makes an empty database for a server, and says where its data is to be.
    pub fn tell(&self, ground: Ground, kind: Kind) -> Result<Told> {
        self.tell_of(ground, &format!("{kind}_{}", ground.name()))
    }

    /// Says where all of them are.
    pub fn tell_all(&self) -> Result<Told> {
        let mut told = self.tell_of(Ground::Redis, "parts")?;
        let mariadb = self.mariadb.as_ref().context("MariaDB is not running")?;
        told.0.push(("BENCH_MYSQL", Some(mariadb.url())));
        Ok(told)
    }

    fn tell_of(&self, ground: Ground, database: &str) -> Result<Told> {
        let postgres = match ground {
            Ground::Sqlite => None,
            Ground::Postgres | Ground::Redis => {
                let postgres = self.postgres.as_ref().context("PostgreSQL is not running")?;
                postgres.create(database, None)?;
                Some(postgres.url_of(database))
            }
        };
        let redis = match ground {
            Ground::Sqlite | Ground::Postgres => None,
            Ground::Redis => Some(self.redis.as_ref().context("Redis is not running")?.url()),
        };
        Ok(Told(vec![("BENCH_POSTGRES", postgres), ("BENCH_REDIS", redis)]))
    }

    /// The processor time that the database servers of this ground have used so far.
    pub fn cpu_time(&self, ground: Ground) -> Result<Duration> {
        let postgres = self.postgres.as_ref().and_then(Postgres::process_id);
        let redis = self.redis.as_ref().and_then(Redis::process_id);
        let servers = match ground {
            Ground::Sqlite => [None, None],
            Ground::Postgres => [postgres, None],
            Ground::Redis => [postgres, redis],
        };
        servers.into_iter().flatten().map(cpu_time).sum()
    }
}

//! Programs that the run starts: how much processor time they take, and whether they did what they were to do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Reads the user and system time that a process and all its descendants have used so far.
pub fn cpu_time(pid: u32) -> Result<Duration> {
    let ticks = cpu_ticks(pid)?.context("a server has ended during the run")?;
    let second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_nanos(ticks * 1_000_000_000 / second))
}

/// Nothing if the process is no longer there. A child that has ended counts in its parent's own figures.
fn cpu_ticks(pid: u32) -> Result<Option<u64>> {
    let folder = PathBuf::from(format!("/proc/{pid}"));
    let Ok(stat) = fs::read_to_string(folder.join("stat")) else {
        return Ok(None);
    };
    // proc(5): the name in parentheses may hold anything; 11 fields behind it come utime, stime, cutime, cstime.
    let (_, fields) = stat
        .rsplit_once(") ")
        .context("/proc/PID/stat is not as expected")?;
    let times = fields.split(' ').skip(11).take(4).map(str::parse::<u64>);
    let mut ticks = times.sum::<Result<u64, _>>()?;
    for task in fs::read_dir(folder.join("task")).into_iter().flatten().flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace() {
            ticks += cpu_ticks(child.parse()?)?.unwrap_or_default();
        }
    }
    Ok(Some(ticks))
}

/// Builds a crate beside the harness.
pub fn build(source: &Path) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--quiet", "--manifest-path"]);
    run(cargo.arg(source.join("Cargo.toml")))
}

/// Runs a command to its end; its failure is an error that names it.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{} failed ({status})", command.get_program().display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_child_counts_for_its_parent() {
        let before = cpu_ticks(std::process::id()).unwrap();
        let work = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        run(Command::new("sh").args(["-c", work])).unwrap();
        assert!(cpu_ticks(std::process::id()).unwrap() > before);
    }

    #[test]
    fn a_process_that_has_ended_is_told_from_one_that_rests() {
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert!(cpu_time(child.id()).is_err());
    }
}

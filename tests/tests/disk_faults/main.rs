//! Disks that fail: steps that give errors, a disk that is full, segments that cannot be read. Each is told as an error of
//! its own, nothing that was answered is lost, and once the disk works again the folder opens and everything is there.
//!
//! Failpoints are those of the whole process, so each test here sets up a scenario, even without any.

mod full;
mod notes;
mod reads;
mod rewriting;
mod steps;

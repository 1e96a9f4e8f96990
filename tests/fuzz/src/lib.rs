//! The fuzz targets: each checks the property of one decoder, which lives in `debros_tests::fuzzing`.

use debros_tests::fuzzing::Target;

/// Checks one input. Panics where a property does not hold.
pub fn check(target: &str, bytes: &[u8]) {
    let target = Target::named(target).expect("each target has a property of its name");
    (target.check)(bytes);
}

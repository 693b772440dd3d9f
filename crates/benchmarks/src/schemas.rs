//! The compiled histories, as applications carry them.

use bootproof::Schema;
use bootproof::compiled::Compiled;

use crate::Result;

#[expect(unreachable_pub, reason = "generated for the root of a crate")]
mod five {
    include!(concat!(env!("OUT_DIR"), "/history-5.rs"));
}

#[expect(unreachable_pub, reason = "generated for the root of a crate")]
mod two_hundred {
    include!(concat!(env!("OUT_DIR"), "/history-200.rs"));
}

#[expect(unreachable_pub, reason = "generated for the root of a crate")]
mod corrected {
    include!(concat!(env!("OUT_DIR"), "/history-corrected.rs"));
}

#[cfg(feature = "two-thousand")]
#[expect(unreachable_pub, reason = "generated for the root of a crate")]
mod two_thousand {
    include!(concat!(env!("OUT_DIR"), "/history-2000.rs"));
}

/// The schema of a history of this length.
///
/// # Errors
///
/// A length that the build did not compile: see [`LENGTHS`](crate::history::LENGTHS).
pub fn of_length(length: usize) -> Result<Schema> {
    let compiled: &'static Compiled = match length {
        5 => &five::COMPILED,
        200 => &two_hundred::COMPILED,
        #[cfg(feature = "two-thousand")]
        2_000 => &two_thousand::COMPILED,
        _ => return Err(format!("no history of {length} migrations was compiled").into()),
    };
    Ok(Schema::new("history", compiled))
}

/// The schema of the [`EARLIEST`](crate::history::EARLIEST) migrations, after [`CORRECTED`](crate::history::CORRECTED) of them.
#[must_use]
pub fn corrected() -> Schema {
    Schema::new("history", &corrected::COMPILED)
}

/// How many milliseconds the build script of this crate, which is not optimised, took to compile a history of this
/// length: once, whatever else the machine did meanwhile.
#[must_use]
pub fn milliseconds_in_the_build_script(length: usize) -> Option<&'static str> {
    match length {
        5 => Some(env!("BUILD_SCRIPT_5_MS")),
        200 => Some(env!("BUILD_SCRIPT_200_MS")),
        #[cfg(feature = "two-thousand")]
        2_000 => Some(env!("BUILD_SCRIPT_2000_MS")),
        _ => None,
    }
}

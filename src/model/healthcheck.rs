//! `HEALTHCHECK`, and the durations in its flags.

use super::{evaluate::text_of, step::Step};
use crate::syntax::dockerfile::{self, Arg, Arguments, Keyword};
use std::{borrow::Cow, fmt};

/// How a container says that it is well. Times are in nanoseconds, 0 where the default holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Healthcheck {
    /// `NONE`, `CMD` and words, or `CMD-SHELL` and a script.
    pub test: Vec<String>,
    /// Time between two checks.
    pub interval: i64,
    /// Time after which a check has failed.
    pub timeout: i64,
    /// Time in which failures do not count.
    pub start_period: i64,
    /// Time between two checks in the start period.
    pub start_interval: i64,
    /// Failures until the container is unwell.
    pub retries: i64,
}

/// Why a `HEALTHCHECK` fails a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthcheckError {
    /// It has neither `CMD` nor `NONE`.
    Type(String),
    /// It has no command.
    Empty,
    /// `NONE` with a command.
    None,
    /// A flag whose value is no duration, or less than a millisecond.
    Duration(String),
    /// `--retries` with no number.
    Retries(String),
}

impl fmt::Display for HealthcheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HealthcheckError::Type(word) => write!(f, "`HEALTHCHECK {word}` is neither `CMD` nor `NONE`"),
            HealthcheckError::Empty => f.write_str("`HEALTHCHECK CMD` has no command"),
            HealthcheckError::None => f.write_str("`HEALTHCHECK NONE` takes no command"),
            HealthcheckError::Duration(text) => write!(f, "`{text}` is not a duration of a millisecond or more"),
            HealthcheckError::Retries(text) => write!(f, "`{text}` is not a number of retries"),
        }
    }
}

/// Whether the words behind `HEALTHCHECK CMD` are in JSON form; in shell form there is one, as written.
pub(super) fn is_exec(command: &[Arg<'_>]) -> bool {
    command.iter().all(|word| matches!(word.text, Cow::Owned(_)))
}

/// What a `HEALTHCHECK` step says; `None` for other instructions.
pub(super) fn healthcheck(step: Step<'_>) -> Option<Result<Healthcheck, HealthcheckError>> {
    (step.keyword() == Keyword::Healthcheck).then(|| read(step))
}

fn read(step: Step<'_>) -> Result<Healthcheck, HealthcheckError> {
    let instruction = step.instruction();
    let Arguments::Words(words) = step.arguments() else { return Err(HealthcheckError::Type(String::new())) };
    let (word, command) = words.split_first().ok_or_else(|| HealthcheckError::Type(String::new()))?;
    let word = text_of(word).to_uppercase();
    if word == "NONE" {
        let healthcheck = Healthcheck { test: vec![word], ..Healthcheck::default() };
        return if command.is_empty() { Ok(healthcheck) } else { Err(HealthcheckError::None) };
    }
    if word != "CMD" {
        return Err(HealthcheckError::Type(word));
    }
    let word = if is_exec(command) { "CMD" } else { "CMD-SHELL" };
    let command = command.iter().map(|word| text_of(word).into_owned());
    let test: Vec<String> = std::iter::once(word.to_owned()).chain(command).collect();
    if test.len() < 2 {
        return Err(HealthcheckError::Empty);
    }
    let flag = |name| instruction.flag(name).and_then(|flag| flag.value.as_deref()).unwrap_or_default();
    let retries = match flag("retries") {
        "" => 0,
        written => {
            let retries = written.parse::<i32>().ok().filter(|&retries| retries >= 0);
            i64::from(retries.ok_or_else(|| HealthcheckError::Retries(written.to_owned()))?)
        }
    };
    Ok(Healthcheck {
        test,
        interval: interval(flag("interval"))?,
        timeout: interval(flag("timeout"))?,
        start_period: interval(flag("start-period"))?,
        start_interval: interval(flag("start-interval"))?,
        retries,
    })
}

/// Nanoseconds of a flag, 0 if it is not given.
fn interval(text: &str) -> Result<i64, HealthcheckError> {
    if text.is_empty() {
        return Ok(0);
    }
    let shortest = 1_000_000;
    let duration = dockerfile::nanoseconds(text).filter(|&duration| duration == 0 || duration >= shortest);
    duration.ok_or_else(|| HealthcheckError::Duration(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_millisecond_or_more() {
        assert_eq!(interval(""), Ok(0));
        assert_eq!(interval("0s"), Ok(0));
        assert_eq!(interval("1ms"), Ok(1_000_000));
        assert_eq!(interval("1us"), Err(HealthcheckError::Duration("1us".into())));
    }
}

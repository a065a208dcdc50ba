//! Signals, as `STOPSIGNAL` names them.

/// Linux signals by name, `SIG` left out.
const NAMES: &[&str] = &[
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL",
    "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1",
    "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX",
];

/// Whether a build takes `text`: a number but 0, or a name with or without `SIG`, in any case.
pub(super) fn is_signal(text: &str) -> bool {
    if let Ok(number) = text.parse::<i64>() {
        return number != 0;
    }
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    NAMES.contains(&name) || is_real_time(name)
}

/// `RTMIN+1` to `RTMIN+15` and `RTMAX-1` to `RTMAX-14`.
fn is_real_time(name: &str) -> bool {
    let within = |offset: &str, most: u8| offset.parse().is_ok_and(|offset: u8| (1..=most).contains(&offset));
    name.strip_prefix("RTMIN+").is_some_and(|offset| within(offset, 15))
        || name.strip_prefix("RTMAX-").is_some_and(|offset| within(offset, 14))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        for text in ["SIGTERM", "term", "9", "SIGRTMIN+3", "RTMAX-14"] {
            assert!(is_signal(text), "{text}");
        }
        for text in ["", "0", "SIGNOTHING", "RTMIN+16", "$SIG"] {
            assert!(!is_signal(text), "{text}");
        }
    }
}

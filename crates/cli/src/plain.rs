use std::fmt::{self, Write as _};

/// Text that others may have written (names of databases, what a daemon says), without what a terminal would take for
/// a command.
pub(crate) struct Plain<'t>(pub(crate) &'t str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char {
                '\n' => f.write_char(char)?,
                // beside control characters what turns the direction of the text around
                _ if char.is_control() || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                    write!(f, "{}", char.escape_unicode())?;
                }
                _ => f.write_char(char)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_sees_text_alone() {
        assert_eq!(Plain("päivä\n\u{1b}[31m\r\u{202e}x").to_string(), "päivä\n\\u{1b}[31m\\u{d}\\u{202e}x");
    }
}

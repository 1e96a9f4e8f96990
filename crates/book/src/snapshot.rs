//! [`Snapshot`]: a program with a mistake, and what the compiler says to it.

use std::{fs, io, path::Path};

/// A program of `tests/ui`, and what the compiler prints for it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What the user did, as the program's first line tells it.
    pub mistake: String,
    printed: String,
}

impl Snapshot {
    /// Of the program in this file; what the compiler prints stands beside it.
    ///
    /// # Errors
    /// If one of the files cannot be read.
    pub fn read(program: &Path) -> io::Result<Snapshot> {
        let source = fs::read_to_string(program)?;
        let mistake = source.lines().next().unwrap_or_default().trim_start_matches("//").trim().to_owned();
        Ok(Snapshot { mistake, printed: fs::read_to_string(program.with_extension("stderr"))? })
    }

    /// The message of each error, in one line. Where the compiler's own says no more than that types differ, its label says which.
    pub fn messages(&self) -> Vec<String> {
        let mut messages = Vec::new();
        let mut lines = self.printed.lines();
        while let Some(line) = lines.next() {
            let Some(message) = headline(line) else { continue };
            if message != "mismatched types" {
                messages.push(message.to_owned());
                continue;
            }
            let label =
                lines.by_ref().find_map(|line| line.split_once('^').map(|(_, label)| label.trim_matches(['^', ' '])));
            messages.push(label.unwrap_or(message).to_owned());
        }
        messages
    }

    /// The first message as the compiler prints it, without what it adds below: where a bound stands, and which types have a trait.
    pub fn excerpt(&self) -> String {
        let mut lines: Vec<&str> = Vec::new();
        let mut of_ours = true;
        for (number, line) in self.printed.lines().enumerate() {
            let begins = line.starts_with(|first: char| first.is_ascii_alphabetic());
            if number > 0 && (line.is_empty() || (begins && headline(line).is_some())) {
                break;
            }
            let note = line.trim_start_matches([' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '|']);
            if begins {
                of_ours = number == 0;
            } else if note.starts_with("= ") {
                of_ours = note.starts_with("= note: ") && !note.contains("originates in the");
            }
            if of_ours {
                lines.push(line);
            }
        }
        // a frame that nothing follows
        while lines.last().is_some_and(|line| line.trim() == "|") {
            lines.pop();
        }
        lines.join("\n")
    }
}

/// The message of an error's first line.
fn headline(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("error")?;
    let message = rest.split_once(": ").map(|(_, message)| message)?;
    Some(message.strip_prefix("evaluation panicked: ").unwrap_or(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "error[E0277]: a paged query needs an order
 --> ui/query/page.rs:9:27
  |
9 |     query.page(20);
  |           ^^^^ call `.order_by(..)` before `.page(..)`
  |
  = help: the trait `HasOrder` is not implemented for `Unsorted`
  = note: a page begins where another ended
help: the trait `HasOrder` is implemented for `Sorted`
 --> $WORKSPACE/crates/query/src/query.rs
  |
  | impl HasOrder for Sorted {}
  | ^^^^^^^^^^^^^^^^^^^^^^^^

error[E0308]: mismatched types
 --> ui/query/page.rs:10:1
  |
9 |     5
  |     ^ expected `bool`, found integer
";

    #[test]
    fn the_message_is_told_from_what_the_compiler_adds() {
        let snapshot = Snapshot { mistake: String::new(), printed: PRINTED.to_owned() };
        assert_eq!(snapshot.messages(), ["a paged query needs an order", "expected `bool`, found integer"]);
        let excerpt = snapshot.excerpt();
        assert!(excerpt.ends_with("  = note: a page begins where another ended"), "{excerpt}");
        assert!(excerpt.contains("9 |     query.page(20);\n  |           ^^^^ call"), "{excerpt}");
        assert!(!excerpt.contains("help:") && !excerpt.contains("E0308"), "{excerpt}");
    }
}

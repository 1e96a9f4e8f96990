//! As much of Markdown as the book is written in.

/// A fenced block of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block<'t> {
    /// What stands after the opening fence.
    pub info: &'t str,
    /// The number of the line with the opening fence, from 0.
    pub line: usize,
    /// The lines between the fences.
    pub lines: Vec<&'t str>,
}

/// The fenced blocks of a text.
pub fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for (number, line) in text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(info)) => open = Some(Block { info: info.trim(), line: number, lines: Vec::new() }),
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => block.lines.push(line),
            (None, None) => {}
        }
    }
    found.extend(open);
    found
}

/// The lines of a text that stand in no fenced block, with their numbers from 0.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    text.lines().enumerate().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    })
}

/// A link: `[text](target)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link<'t> {
    /// The number of its line, from 1.
    pub line: usize,
    /// Where it leads.
    pub target: &'t str,
}

/// The links of a text, those in code left out.
pub fn links(text: &str) -> Vec<Link<'_>> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        // every second part between backticks is code
        for part in line.split('`').step_by(2) {
            let mut rest = part;
            while let Some((_, after)) = rest.split_once("](") {
                let Some((target, after)) = after.split_once(')') else { break };
                found.push(Link { line: number + 1, target });
                rest = after;
            }
        }
        // a link whose text is code: `](` follows the closing backtick
        for part in line.split('`').skip(2).step_by(2) {
            if let Some((target, _)) = part.strip_prefix("](").and_then(|after| after.split_once(')')) {
                let link = Link { line: number + 1, target };
                if !found.contains(&link) {
                    found.push(link);
                }
            }
        }
    }
    found
}

/// The anchors that the headings of a text get: lower case, without punctuation, with `-` for spaces.
pub fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter_map(|(_, line)| line.strip_prefix('#'));
    headings
        .map(|heading| {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            heading
                .chars()
                .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

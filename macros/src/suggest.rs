//! What the user may have meant.

/// `; did you mean `x`?`, or nothing if no known word is near.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// The known word that is nearest to `word`, if it is near.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best = None;
    for candidate in known {
        let distance = strsim::damerau_levenshtein(word, candidate);
        let likeness = strsim::jaro_winkler(word, candidate);
        // a third of the letters may be wrong; or the beginning is right, as in `create` for `created`
        if (distance <= 1.max(word.chars().count() / 3) || likeness > 0.85)
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn alternatives<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_word() {
        assert_eq!(nearest("usr_id", ["id", "user_id", "title"]), Some("user_id"));
        assert_eq!(nearest("uniqe", ["key", "unique", "index"]), Some("unique"));
        assert_eq!(nearest("kee", ["key", "unique"]), Some("key"));
        assert_eq!(nearest("colour", ["key", "unique", "index"]), None);
    }

    #[test]
    fn alternatives_read_as_a_sentence() {
        assert_eq!(alternatives(["a"]), "`a`");
        assert_eq!(alternatives(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}

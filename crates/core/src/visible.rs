//! [`Visible`]: which modules see a model.

use crate::const_text::ConstText;

/// Which modules see a model. A relation cannot lead to a model that fewer modules see than the one that has it.
#[derive(Clone, Copy, Debug)]
pub struct Visible {
    /// The module of the struct.
    module: &'static str,
    /// What stands in `pub(..)`: `crate`, `self`, `super`, or a path of those. `None`: it is `pub`.
    within: Option<&'static str>,
}

impl Visible {
    /// Of a `pub struct`.
    pub const EVERYWHERE: Visible = Visible { module: "", within: None };

    /// Of a struct in this module that is `pub(in path)`, or without `pub`, for which the path is `self`.
    pub const fn within(module: &'static str, path: &'static str) -> Visible {
        Visible { module, within: Some(path) }
    }

    /// Does every module that sees the other see this one?
    pub const fn covers(self, other: Visible) -> bool {
        match (self.within, other.within) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(others)) => {
                let (own, others) = (absolute(self.module, own), absolute(other.module, others));
                is_inside(others.as_str().as_bytes(), own.as_str().as_bytes())
            }
        }
    }
}

/// The path of the module, from the crate's name.
const fn absolute(module: &str, path: &str) -> ConstText {
    let (mut module, mut path) = (module.as_bytes(), path.as_bytes());
    loop {
        let (first, rest) = first_segment(path);
        match first {
            b"crate" => module = first_segment(module).0,
            b"self" => {}
            b"super" => module = parent(module),
            _ => break,
        }
        path = rest;
    }
    let text = ConstText::new().add(utf8(module));
    if path.is_empty() { text } else { text.add("::").add(utf8(path)) }
}

const fn utf8(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

/// What stands before the first `::`, and what after it.
const fn first_segment(path: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while at < path.len() && path[at] != b':' {
        at += 1;
    }
    let (first, rest) = path.split_at(at);
    (first, rest.split_at(if rest.len() < 2 { rest.len() } else { 2 }).1)
}

/// What stands before the last `::`.
const fn parent(path: &[u8]) -> &[u8] {
    let mut at = path.len();
    while at > 0 && path[at - 1] != b':' {
        at -= 1;
    }
    path.split_at(at.saturating_sub(2)).0
}

/// Is the module this one, or within it?
const fn is_inside(module: &[u8], outer: &[u8]) -> bool {
    if module.len() < outer.len() {
        return false;
    }
    let mut at = 0;
    while at < outer.len() {
        if module[at] != outer[at] {
            return false;
        }
        at += 1;
    }
    module.len() == outer.len() || module[outer.len()] == b':'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_more_modules_see_covers_what_fewer_see() {
        let public = Visible::EVERYWHERE;
        let in_crate = Visible::within("shop::models::inner", "crate");
        let private = Visible::within("shop::models", "self");
        let inner = Visible::within("shop::models::inner", "self");
        let by_super = Visible::within("shop::models::inner", "super");
        let by_path = Visible::within("shop::models::inner", "crate::models");
        assert!(public.covers(public) && public.covers(in_crate) && public.covers(private));
        assert!(!in_crate.covers(public) && in_crate.covers(private) && in_crate.covers(by_path));
        assert!(!private.covers(in_crate) && private.covers(inner) && private.covers(by_super));
        assert!(by_super.covers(private) && by_path.covers(by_super) && by_super.covers(by_path));
        assert!(!inner.covers(private) && !inner.covers(by_super) && inner.covers(inner));
        assert!(!Visible::within("shop::model", "self").covers(private));
        assert!(Visible::within("shop", "self").covers(in_crate) && in_crate.covers(Visible::within("shop", "self")));
        assert!(Visible::within("shop::a::b", "super::super").covers(in_crate));
    }
}

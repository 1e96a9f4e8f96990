//! A crate that forbids what it can, and imports nothing.
#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings, unreachable_pub, unused_qualifications, single_use_lifetimes)]
#![deny(rust_2018_idioms, unused_results, trivial_casts, missing_debug_implementations)]
#![allow(missing_debug_implementations)]

/// The models.
pub mod models {
    /// What a shop sells.
    #[::debros::model(scope = global, writers = owner, unique(maker, name), sharding(strategy = hash, key = maker, count = 4))]
    #[derive(::std::fmt::Debug, ::std::clone::Clone, ::std::cmp::PartialEq)]
    pub struct Product {
        /// Its key.
        #[field(key)]
        pub id: ::debros::Id<Product>,
        /// Who makes it.
        pub maker: ::std::string::String,
        /// What it is called.
        #[field(matches = "^[a-z]+$", len = 2..)]
        pub name: ::std::string::String,
        /// In cents.
        #[field(range = 1..=1_000_000)]
        pub price: u32,
        /// If it is sold.
        #[field(default = true)]
        pub sold: bool,
        /// What it is like.
        pub about: ::std::option::Option<::std::string::String>,
        /// What kind of thing it is.
        #[field(index)]
        pub kind: Kind,
        /// How large it is.
        pub size: Size,
        /// Who wrote this.
        #[field(owner)]
        pub by: ::debros::UserId,
        /// When.
        #[field(updated)]
        pub at: ::debros::Timestamp,
        /// What belongs to it.
        #[many_to_many]
        pub parts: ::debros::ManyToMany<Product>,
        /// What it belongs to.
        #[many_to_many(inverse = parts)]
        pub wholes: ::debros::ManyToMany<Product>,
    }

    /// A kind of thing.
    #[derive(::std::fmt::Debug, ::std::clone::Clone, ::std::marker::Copy, ::std::cmp::PartialEq, ::debros::Value)]
    pub enum Kind {
        /// To eat.
        Food,
        /// To use.
        #[value(name = "tool")]
        Tool,
    }

    /// A size in millimetres.
    #[derive(::std::fmt::Debug, ::std::clone::Clone, ::std::cmp::PartialEq, ::debros::Value)]
    pub struct Size {
        /// From left to right.
        pub width: u32,
        /// From bottom to top, if it has one.
        pub height: ::std::option::Option<u32>,
    }
}

fn main() {
    let _ = ::debros::models![models::Product];
}

//! [`Model`]: a model as understood, after every check. What a mistake spoils is left out of it, so that the rest expands.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Attribute, Expr, Ident, LitStr, Path, Type, Visibility};

/// A model.
pub(crate) struct Model {
    /// The crate that generated paths begin with: `::debros`, or what `crate = ..` says.
    pub(crate) krate: Path,
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    /// The name that its databases carry.
    pub(crate) stored: String,
    pub(crate) scope: Scope,
    pub(crate) writers: Writers,
    pub(crate) store: Store,
    /// Of the word `hooks`, if it stands there.
    pub(crate) hooks: Option<Span>,
    /// Columns and relations, in the order of declaration.
    pub(crate) members: Vec<Member>,
    /// Names of the key's columns. Empty only beside an error.
    pub(crate) key: Vec<String>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) sharding: Option<Sharding>,
}

/// Whose databases hold the records.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    User,
    Global,
}

/// Who may write a global model.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writers {
    Anyone,
    Owner,
    Admins,
}

/// How databases keep records.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Documents,
    Events,
}

/// A field of the struct.
#[expect(
    clippy::large_enum_variant,
    reason = "a model has some dozen of them, and they live as long as the macro runs"
)]
pub(crate) enum Member {
    Column(Column),
    Relation(Relation),
}

/// What columns and relations have in common.
pub(crate) struct Named {
    pub(crate) ident: Ident,
    /// Without `r#`.
    pub(crate) name: String,
    pub(crate) vis: Visibility,
    /// With `Self` written out.
    pub(crate) ty: Type,
    /// Its doc comment.
    pub(crate) docs: Vec<Attribute>,
}

/// A field that is stored.
pub(crate) struct Column {
    pub(crate) named: Named,
    pub(crate) role: Role,
    /// Of the word that says the role, else of the field's name.
    pub(crate) role_span: Span,
    /// Part of the key.
    pub(crate) key: bool,
    pub(crate) shard_key: bool,
    /// Its type is wrong, which has been said: it is not mentioned again.
    pub(crate) unstored: bool,
    /// Written as `Option<..>`. An alias of one is an `Option` to the type system only.
    pub(crate) spelled_option: bool,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) serde: bool,
    pub(crate) rules: Vec<Rule>,
}

/// Who fills a column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Plain,
    /// A key that callers give.
    Key,
    /// An `Id` of the model itself: debros makes it.
    GeneratedKey,
    Created,
    Updated,
    Owner,
}

/// What a column holds where its creator says nothing.
pub(crate) enum DefaultValue {
    Expr(Box<Expr>),
    /// `Default::default()`; the span is of the word `default`.
    Trait(Span),
}

/// A rule that values keep.
pub(crate) struct Rule {
    /// Of its word.
    pub(crate) span: Span,
    /// As it stands in the model: `len = 3..=32`.
    pub(crate) text: String,
    pub(crate) kind: RuleKind,
}

pub(crate) enum RuleKind {
    /// The range, as an expression.
    Len(TokenStream),
    Range(TokenStream),
    Matches(LitStr),
    Check(Path),
}

/// A field that leads to other models.
pub(crate) struct Relation {
    pub(crate) named: Named,
    pub(crate) kind: RelationKind,
    /// The model that it leads to. `None` only beside an error.
    pub(crate) target: Option<Type>,
    /// May there be no row?
    pub(crate) optional: bool,
}

impl Relation {
    /// Whether it leads to one row, one or none, or any number.
    pub(crate) fn slot(&self) -> Ident {
        let name = match self.kind {
            RelationKind::HasMany(_) | RelationKind::ManyToMany(_) => "Several",
            _ if self.optional => "Optional",
            _ => "Required",
        };
        Ident::new(name, Span::call_site())
    }

    /// The slot in the struct, which holds nothing.
    pub(crate) fn slot_value(&self, private: &TokenStream) -> TokenStream {
        let slot = Ident::new(self.kind.slot(), Span::call_site());
        quote!(#private::#slot::new())
    }
}

pub(crate) enum RelationKind {
    /// The columns of this model that hold the parent's key. Empty only beside an error.
    BelongsTo(Vec<Ident>),
    /// The `belongs_to` field of the other model, if named.
    HasOne(Option<Ident>),
    HasMany(Option<Ident>),
    /// The `many_to_many` field of the other model, if the links are on its side.
    ManyToMany(Option<Ident>),
}

impl RelationKind {
    /// The type of its slot in the struct.
    pub(crate) fn slot(&self) -> &'static str {
        match self {
            RelationKind::BelongsTo(_) => "BelongsTo",
            RelationKind::HasOne(_) => "HasOne",
            RelationKind::HasMany(_) => "HasMany",
            RelationKind::ManyToMany(_) => "ManyToMany",
        }
    }

    /// The attribute that makes it.
    pub(crate) fn attribute(&self) -> &'static str {
        match self {
            RelationKind::BelongsTo(_) => "belongs_to",
            RelationKind::HasOne(_) => "has_one",
            RelationKind::HasMany(_) => "has_many",
            RelationKind::ManyToMany(_) => "many_to_many",
        }
    }
}

/// An index, of names of columns.
#[derive(PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) fields: Vec<String>,
    pub(crate) unique: bool,
}

/// How records are divided.
pub(crate) struct Sharding {
    pub(crate) key: String,
    /// Where the model says so.
    pub(crate) span: Span,
    pub(crate) count: u32,
}

impl Model {
    pub(crate) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.members.iter().filter_map(|member| match member {
            Member::Column(column) => Some(column),
            Member::Relation(_) => None,
        })
    }

    pub(crate) fn relations(&self) -> impl Iterator<Item = &Relation> {
        self.members.iter().filter_map(|member| match member {
            Member::Relation(relation) => Some(relation),
            Member::Column(_) => None,
        })
    }

    /// The relations whose target is known: all, unless there are mistakes.
    pub(crate) fn relations_with_target(&self) -> impl Iterator<Item = (&Relation, &Type)> {
        self.relations().filter_map(|relation| Some((relation, relation.target.as_ref()?)))
    }

    /// The columns of the key, in order.
    pub(crate) fn key_columns(&self) -> impl Iterator<Item = &Column> {
        self.key.iter().filter_map(|name| self.column(name))
    }

    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns().find(|column| column.named.name == name)
    }

    /// The position of a column among the columns.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.columns().position(|column| column.named.name == name)
    }
}

impl Member {
    pub(crate) fn named(&self) -> &Named {
        match self {
            Member::Column(column) => &column.named,
            Member::Relation(relation) => &relation.named,
        }
    }
}

impl Column {
    /// Does `New..` have it? What debros fills, what has a default and what may be absent is not asked for.
    pub(crate) fn is_required(&self) -> bool {
        matches!(self.role, Role::Plain | Role::Key) && self.default.is_none() && !self.spelled_option
    }
}

//! The `q` parameter of `files.list`.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::problem::Problem;
use super::wire;
use crate::sim::Sim;
use crate::world::{Item, ItemNo, World};

/// Parentheses and negations that may be nested; more is refused as too complex.
const DEPTH: usize = 50;

/// A condition on an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Query {
    /// Both.
    And(Box<Query>, Box<Query>),
    /// One of them at least.
    Or(Box<Query>, Box<Query>),
    /// Not this.
    Not(Box<Query>),
    /// `'id' in parents`; the folder is resolved when it runs.
    Parent(String),
    /// `trashed = value`.
    Trashed(bool),
    /// Name or type compared with a text.
    Text(TextField, Compare, String),
    /// Time compared with a moment.
    Time(TimeField, Compare, Timestamp),
}

/// Fields that hold text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextField {
    Name,
    MimeType,
}

/// Fields that hold a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeField {
    Created,
    Modified,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    Unequal,
    Contains,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Query {
    /// Reads a query; anything outside the grammar is refused as the provider does, with the parameter as location.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let tokens = tokens(text).ok_or_else(|| Problem::invalid("q"))?;
        let mut parser = Parser {
            tokens: &tokens,
            depth: 0,
        };
        let query = parser.any();
        query
            .filter(|_| parser.tokens.is_empty())
            .ok_or_else(|| Problem::invalid("q"))
    }

    /// Whether the item meets it.
    pub(super) fn holds(&self, sim: &Sim, world: &World, item: &Item) -> bool {
        let inner = |query: &Self| query.holds(sim, world, item);
        match self {
            Self::And(left, right) => inner(left) && inner(right),
            Self::Or(left, right) => inner(left) || inner(right),
            Self::Not(query) => !inner(query),
            Self::Parent(id) => {
                let folder = wire::resolve(sim, world, id);
                folder.is_some_and(|folder| item.parent == Some(folder.no))
            }
            Self::Trashed(value) => world.is_visible(item.no) != *value,
            Self::Text(TextField::Name, compare, value) => compare.text(&item.name, value),
            Self::Text(TextField::MimeType, compare, value) => {
                compare.text(wire::mime_type(world, item), value)
            }
            Self::Time(TimeField::Created, compare, value) => compare.holds(&item.created_at, value),
            Self::Time(TimeField::Modified, compare, value) => compare.holds(&wire::modified_at(item), value),
        }
    }

    /// Folders outside which nothing can meet it; `None` when it says nothing about parents.
    pub(super) fn folders(&self, sim: &Sim, world: &World) -> Option<BTreeSet<ItemNo>> {
        match self {
            Self::Parent(id) => Some(
                wire::resolve(sim, world, id)
                    .map(|item| item.no)
                    .into_iter()
                    .collect(),
            ),
            Self::And(left, right) => match (left.folders(sim, world), right.folders(sim, world)) {
                (Some(left), Some(right)) => Some(left.intersection(&right).copied().collect()),
                (left, right) => left.or(right),
            },
            Self::Or(left, right) => {
                let (mut left, right) = (left.folders(sim, world)?, right.folders(sim, world)?);
                left.extend(right);
                Some(left)
            }
            _ => None,
        }
    }

    /// Every folder it names, for the check that they exist.
    pub(super) fn parents<'q>(&'q self, found: &mut Vec<&'q str>) {
        match self {
            Self::Parent(id) => found.push(id),
            Self::And(left, right) | Self::Or(left, right) => {
                left.parents(found);
                right.parents(found);
            }
            Self::Not(query) => query.parents(found),
            _ => {}
        }
    }
}

impl Compare {
    fn text(self, have: &str, value: &str) -> bool {
        match self {
            // The service matches prefixes of words of a name; prefixes of the whole are enough here.
            Self::Contains => have.to_lowercase().starts_with(&value.to_lowercase()),
            _ => self.holds(have, value),
        }
    }

    fn holds<T: Ord + ?Sized>(self, have: &T, value: &T) -> bool {
        match self {
            Self::Equal | Self::Contains => have == value,
            Self::Unequal => have != value,
            Self::Less => have < value,
            Self::LessOrEqual => have <= value,
            Self::Greater => have > value,
            Self::GreaterOrEqual => have >= value,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(&'static str),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        let token = match letter {
            ' ' => continue,
            '(' => Token::Sign("("),
            ')' => Token::Sign(")"),
            '=' => Token::Sign("="),
            '!' => rest.next_if_eq(&'=').map(|_| Token::Sign("!="))?,
            '<' => Token::Sign(rest.next_if_eq(&'=').map_or("<", |_| "<=")),
            '>' => Token::Sign(rest.next_if_eq(&'=').map_or(">", |_| ">=")),
            '\'' => Token::Quoted(quoted(&mut rest)?),
            letter if letter.is_ascii_alphabetic() => {
                let mut word = String::from(letter);
                while let Some(more) = rest.next_if(char::is_ascii_alphanumeric) {
                    word.push(more);
                }
                Token::Word(word)
            }
            _ => return None,
        };
        found.push(token);
    }
    Some(found)
}

fn quoted(rest: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            '\'' => return Some(text),
            '\\' => text.push(rest.next().filter(|letter| matches!(letter, '\'' | '\\'))?),
            letter => text.push(letter),
        }
    }
}

/// Recursive descent; `None` is a syntax error. `or` binds least, then `and`, then `not`.
struct Parser<'t> {
    tokens: &'t [Token],
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Option<Query> {
        let mut query = self.every()?;
        while self.word("or") {
            query = Query::Or(Box::new(query), Box::new(self.every()?));
        }
        Some(query)
    }

    fn every(&mut self) -> Option<Query> {
        let mut query = self.one()?;
        while self.word("and") {
            query = Query::And(Box::new(query), Box::new(self.one()?));
        }
        Some(query)
    }

    fn one(&mut self) -> Option<Query> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let query = if self.word("not") {
            Query::Not(Box::new(self.one()?))
        } else if self.sign("(") {
            let query = self.any()?;
            self.sign(")").then_some(query)?
        } else {
            self.term()?
        };
        self.depth -= 1;
        Some(query)
    }

    fn term(&mut self) -> Option<Query> {
        match self.next()? {
            Token::Quoted(id) => (self.word("in") && self.word("parents")).then_some(Query::Parent(id)),
            Token::Word(field) => match field.as_str() {
                "trashed" => self.trashed(),
                "name" => self.text(TextField::Name),
                "mimeType" => self.text(TextField::MimeType),
                "createdTime" => self.time(TimeField::Created),
                "modifiedTime" => self.time(TimeField::Modified),
                _ => None,
            },
            Token::Sign(_) => None,
        }
    }

    fn trashed(&mut self) -> Option<Query> {
        let compare = self.compare()?;
        let value = match self.next()? {
            Token::Word(word) if word == "true" => true,
            Token::Word(word) if word == "false" => false,
            _ => return None,
        };
        match compare {
            Compare::Equal => Some(Query::Trashed(value)),
            Compare::Unequal => Some(Query::Trashed(!value)),
            _ => None,
        }
    }

    fn text(&mut self, field: TextField) -> Option<Query> {
        let compare = self.compare()?;
        let text = self.literal()?;
        matches!(compare, Compare::Equal | Compare::Unequal | Compare::Contains)
            .then_some(Query::Text(field, compare, text))
    }

    fn time(&mut self, field: TimeField) -> Option<Query> {
        let compare = self.compare().filter(|compare| *compare != Compare::Contains)?;
        let text = self.literal()?;
        let at = text.parse().or_else(|_| format!("{text}Z").parse()).ok()?;
        Some(Query::Time(field, compare, at))
    }

    fn compare(&mut self) -> Option<Compare> {
        match self.next()? {
            Token::Sign("=") => Some(Compare::Equal),
            Token::Sign("!=") => Some(Compare::Unequal),
            Token::Sign("<") => Some(Compare::Less),
            Token::Sign("<=") => Some(Compare::LessOrEqual),
            Token::Sign(">") => Some(Compare::Greater),
            Token::Sign(">=") => Some(Compare::GreaterOrEqual),
            Token::Word(word) if word == "contains" => Some(Compare::Contains),
            _ => None,
        }
    }

    fn literal(&mut self) -> Option<String> {
        match self.next()? {
            Token::Quoted(text) => Some(text),
            _ => None,
        }
    }

    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    fn word(&mut self, wanted: &str) -> bool {
        self.skip(|token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted)))
    }

    fn sign(&mut self, wanted: &str) -> bool {
        self.skip(|token| matches!(token, Token::Sign(sign) if *sign == wanted))
    }

    fn skip(&mut self, is: impl Fn(&Token) -> bool) -> bool {
        let found = self.tokens.first().is_some_and(is);
        if found {
            self.next();
        }
        found
    }
}

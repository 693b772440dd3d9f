//! The types of a contract's parameters and columns, and their names in Rust.
//!
//! In this order: what the contract says itself; the column of a table that a value comes from, as SQLite tells
//! (<https://sqlite.org/c3ref/column_database_name.html>); what an expression is whatever the rows hold; for a parameter, what
//! it is compared with. What none of these tells has to be said: a type that is guessed would be wrong one day.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::Range;

use bootproof_catalog::QueryPlan;
use bootproof_catalog::token::{self, Token};

use super::compound::{self, Compound};
use super::{Head, Query, comparison, infer, presence, select_list};
use crate::annotation::{self, Annotation};
use crate::compilation::{Column, Parameter, Signature};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::explain::nearest;
use crate::parse::ContractSource;
use crate::value::{Type, Typed};

/// How often SQLite is asked about one column. What is written by hand takes a few; each compound that rests on another may double
/// what is left.
const MOST_ASKED: usize = 200;

/// What is typed, and everything that tells its types.
pub(super) struct Typing<'a> {
    head: &'a Head<'a>,
    source: &'a ContractSource,
    query: &'a Query,
    /// The sampling query, and what it takes values from.
    samples: [Option<&'a Query>; 2],
    /// Whether what its table refuses to be NULL is not NULL in a row either.
    keeps_presence: bool,
    tokens: Vec<Token>,
}

impl<'a> Typing<'a> {
    pub(super) fn new(
        head: &'a Head<'a>,
        source: &'a ContractSource,
        query: &'a Query,
        samples: [Option<&'a Query>; 2],
        plan: &QueryPlan,
    ) -> rusqlite::Result<Self> {
        let keeps_presence = presence::is_kept(head.stage.connection(), &query.sql, plan, head.catalog)?;
        Ok(Self { head, source, query, samples, keeps_presence, tokens: token::tokens(&query.sql) })
    }

    /// The types of everything; where something has none, that has been reported.
    pub(super) fn signature(&self, diagnostics: &mut Diagnostics) -> Option<Signature> {
        let before = diagnostics.errors();
        self.check_annotations(diagnostics);
        let parameters: Vec<_> =
            self.query.parameters.iter().filter_map(|name| self.parameter(name, diagnostics)).collect();
        let columns = self.columns(diagnostics);
        (diagnostics.errors() == before).then_some(Signature { parameters, columns })
    }

    /// Reports what is said of something that is not there, or twice.
    fn check_annotations(&self, diagnostics: &mut Diagnostics) {
        let of = [
            ("parameter", &self.source.parameters, &self.query.parameters),
            ("column", &self.source.columns, &self.query.columns),
        ];
        for (kind, annotations, names) in of {
            let mut said = BTreeSet::new();
            for annotation in annotations {
                let name = &annotation.name;
                let problem = if !names.contains(name) {
                    let diagnostic = Diagnostic::error("directive", format!("the query has no {kind} `{name}`"));
                    match nearest(name, names.iter().cloned()) {
                        Some(nearest) => diagnostic.help(format!("did you mean `{nearest}`?")),
                        None => diagnostic.help("remove the line"),
                    }
                } else if !said.insert(name) {
                    Diagnostic::error("directive", format!("the type of `{name}` is said twice"))
                        .help("keep one of the two")
                } else {
                    continue;
                };
                diagnostics.push(problem.at(&self.source.file, annotation.span.clone()));
            }
        }
    }

    fn parameter(&self, name: &str, diagnostics: &mut Diagnostics) -> Option<Parameter> {
        let place = || {
            let at = comparison::places(&self.tokens, name, &self.query.sql).next();
            let span = at.and_then(|at| Some(self.tokens.get(at)?.span.start..self.tokens.get(at + 1)?.span.end));
            span.map_or_else(|| self.query.span.clone(), |span| self.in_file(&span))
        };
        if rust_name(name).is_none() {
            let message = format!("the parameter `:{name}` cannot be the name of a field");
            let diagnostic = Diagnostic::error("contract-columns", message).at(&self.source.file, place());
            diagnostics.push(diagnostic.help("write letters, digits and `_`, a letter first"));
            return None;
        }
        let derived = self.sampled(name).or_else(|| self.compared(name)).map(Typed::always);
        let typed = said(&self.source.parameters, name).map_or(derived, |said| said.applied_to(derived, true));
        if typed.is_none() {
            let message = format!("nothing tells the type of the parameter `:{name}`");
            diagnostics.push(self.untyped(message, &format!("parameter {name} TEXT"), place()));
        }
        Some(Parameter { name: name.to_owned(), typed: typed? })
    }

    /// The type of the sampling query's column of that name, or of the shared one's that it takes values from.
    fn sampled(&self, name: &str) -> Option<Type> {
        let column = |sample: &'a Query| Some((sample, sample.columns.iter().position(|column| column == name)?));
        let (sample, position) = self.samples.into_iter().flatten().find_map(column)?;
        self.returned(sample, &token::tokens(&sample.sql), position).map(|typed| typed.value)
    }

    /// The type of what the query compares a parameter with: of a column, by its name among those that the query reads.
    fn compared(&self, name: &str) -> Option<Type> {
        let column = |tokens: &[Token]| {
            let name = tokens.last()?.as_name();
            // A view's column is told beside the one that it shows.
            let is_table = |table: &String| self.head.catalog.tables.contains_key(table);
            let read = self.query.reads.iter().filter(|(table, column)| *column == name && is_table(table));
            let types: Option<Vec<_>> = read.map(|(table, column)| self.declared(table, column)).collect();
            let types = types?;
            let first = *types.first()?;
            types.iter().all(|typed| typed.value == first.value).then_some(first)
        };
        comparison::type_at(&self.tokens, comparison::places(&self.tokens, name, &self.query.sql), &column)
    }

    fn columns(&self, diagnostics: &mut Diagnostics) -> Vec<Column> {
        if let Some(star) = select_list::star(&self.tokens) {
            let names: Vec<_> = self.query.columns.iter().map(|name| token::name(name)).collect();
            let message = "`*` stands for other columns in another database: a row has no fixed fields";
            diagnostics.push(
                Diagnostic::error("contract-columns", message)
                    .at(&self.source.file, self.in_file(&star.span))
                    .help(format!("list the columns that are needed, at most {}", names.join(", "))),
            );
            return Vec::new();
        }
        let mut taken = BTreeSet::new();
        let others = self.others();
        let columns = self.query.columns.iter().enumerate().filter_map(|(position, name)| {
            let place = self.item(&self.query.columns, position);
            if rust_name(name).is_none() {
                let message = format!("the column `{name}` cannot be the name of a field");
                let diagnostic = Diagnostic::error("contract-columns", message).at(&self.source.file, place);
                diagnostics.push(diagnostic.help("give it a name with AS: letters, digits and `_`, a letter first"));
                return None;
            }
            if !taken.insert(name) {
                let message = format!("two columns are called `{name}`");
                let diagnostic = Diagnostic::error("contract-columns", message).at(&self.source.file, place);
                diagnostics.push(diagnostic.help("give one of them another name with AS"));
                return None;
            }
            let derived = self.returned(self.query, &self.tokens, position);
            let derived = derived.filter(|derived| {
                derived.value == Type::Any
                    || others.iter().all(|other| self.is_returned(other.as_ref(), position, derived.value))
            });
            let typed = said(&self.source.columns, name).map_or(derived, |said| said.applied_to(derived, false));
            if typed.is_none() {
                let message = format!("nothing tells the type of the column `{name}`");
                diagnostics.push(self.untyped(message, &format!("column {name} REAL NOT NULL"), place));
            }
            let origin = self.query.origins.get(position).cloned().flatten();
            let origin = origin.map(|(table, column)| format!("{table}.{column}"));
            Some(Column { name: name.clone(), typed: typed?, origin })
        });
        columns.collect()
    }

    /// The SELECTs of a compound behind its first, each alone; none for one that cannot be looked at so.
    fn others(&self) -> Vec<Option<Query>> {
        let first = token::outside_parentheses(&self.tokens).into_iter().find(|token| token.is_keyword("select"));
        let with = first.and_then(|select| self.query.sql.get(..select.span.start)).unwrap_or_default();
        let alone = |select: &[Token]| {
            let text = self.query.sql.get(select.first()?.span.start..select.last()?.span.end)?;
            self.asked(format!("{with}{text}"))
        };
        select_list::others(&self.tokens).into_iter().map(alone).collect()
    }

    /// A query that nobody runs, only to see what it would return; none where SQLite does not take it.
    fn asked(&self, sql: String) -> Option<Query> {
        let statement = self.head.stage.connection().prepare(&sql).ok()?;
        let columns = statement.column_names().map(str::to_owned).collect();
        let origins = origins(&statement);
        let (span, parameters, reads) = (self.query.span.clone(), Vec::new(), BTreeSet::new());
        drop(statement);
        Some(Query { sql, span, parameters, columns, origins, reads })
    }

    /// Whether a SELECT of a compound returns values of a type, or NULL.
    fn is_returned(&self, select: Option<&Query>, position: usize, value: Type) -> bool {
        let Some(select) = select else { return false };
        let tokens = token::tokens(&select.sql);
        let item = select_list::items(&tokens).get(position).map(|item| select_list::expression(item));
        let is_null = matches!(item, Some([null]) if null.is_keyword("null"));
        is_null || self.returned(select, &tokens, position).is_some_and(|typed| typed.value == value)
    }

    /// The type of a column that a query returns, whichever SELECT of a compound inside it a row comes from.
    fn returned(&self, query: &Query, tokens: &[Token], position: usize) -> Option<Typed> {
        let typed = self.returned_by_one(query, tokens, position)?;
        if typed.value == Type::Any {
            return Some(typed);
        }
        let written = compound::without_views(&query.sql, self.head.catalog).ok()?;
        let sql = written.as_ref().unwrap_or(&query.sql);
        let left = Cell::new(MOST_ASKED);
        let is_simple = written.is_none() && compound::last(sql).is_none();
        (is_simple || self.is_always(sql, position, typed.value, &left)).then_some(typed)
    }

    /// Whether a column has a type in whichever way SELECTs take the places of the compounds inside a query: one after the other,
    /// since SQLite tells nothing of the others of one that is left as it is. Not where there are too many ways.
    fn is_always(&self, sql: &str, position: usize, value: Type, left: &Cell<usize>) -> bool {
        let Some(fewer) = left.get().checked_sub(1) else { return false };
        left.set(fewer);
        let query = self.asked(sql.to_owned());
        let returned = query.and_then(|query| self.returned_by_one(&query, &token::tokens(&query.sql), position));
        let is_always = |sql: &String| self.is_always(sql, position, value, left);
        returned.is_some_and(|returned| returned.value == value)
            && compound::last(sql).is_none_or(|Compound { alone, severed }| {
                // What is the same without its values is none of them.
                severed.as_ref().is_some_and(is_always) || alone.iter().all(is_always)
            })
    }

    /// The type of a column that a query returns; of a compound inside it, what one of its SELECTs does.
    fn returned_by_one(&self, query: &Query, tokens: &[Token], position: usize) -> Option<Typed> {
        if select_list::is_values(tokens) {
            // SQLite tells what one row of them has.
            return None;
        }
        let is_main = std::ptr::eq(query, self.query);
        let keeps_presence = is_main && self.keeps_presence;
        let as_returned = |typed: Typed| Typed { is_nullable: typed.is_nullable || !keeps_presence, ..typed };
        if let Some((table, column)) = query.origins.get(position)? {
            return self.declared(table, column).map(as_returned);
        }
        let items = select_list::items(tokens);
        if items.len() != query.columns.len() || select_list::star(tokens).is_some() {
            return None;
        }
        let item = items.get(position)?;
        let expression = select_list::expression(item);
        let item = item.first()?.span.start..item.last()?.span.end;
        // Where a column stands in an expression, SQLite tells which it is if it stands there alone.
        let column = |name: &[Token]| {
            let name = query.sql.get(name.first()?.span.start..name.last()?.span.end)?;
            let alone = format!("{}{name}{}", query.sql.get(..item.start)?, query.sql.get(item.end..)?);
            let statement = self.head.stage.connection().prepare(&alone).ok()?;
            let (table, column) = origins(&statement).into_iter().nth(position)??;
            self.declared(&table, &column).map(as_returned)
        };
        let typed = infer::type_of(expression, &column)?;
        // A value that is there whatever the rows hold is missing only where another SELECT returns something else.
        let is_nullable = typed.is_nullable || presence::is_compound(tokens);
        Some(Typed { is_nullable, ..typed })
    }

    /// The type of a column of a table, as it is declared.
    fn declared(&self, table: &str, column: &str) -> Option<Typed> {
        let table = self.head.catalog.tables.get(&table.to_ascii_lowercase())?;
        let key = column.to_ascii_lowercase();
        let Some(column) = table.columns.get(&key) else {
            let is_row_number = ["rowid", "oid", "_rowid_"].contains(&key.as_str()) && !table.is_virtual;
            return is_row_number.then_some(Typed::always(Type::Integer));
        };
        let value = Type::of_declared(&column.declared_type)?;
        let is_row_number = table.is_rowid_alias && table.primary_key.first() == Some(&token::name(&key));
        Some(Typed { value, is_nullable: !(column.not_null || is_row_number) })
    }

    /// Where the expression of a column stands in the file, as far as that is known.
    fn item(&self, columns: &[String], position: usize) -> Range<usize> {
        let items = select_list::items(&self.tokens);
        let item = items.get(position).filter(|_| items.len() == columns.len());
        let span = item.and_then(|item| Some(item.first()?.span.start..item.last()?.span.end));
        span.map_or_else(|| self.query.span.clone(), |span| self.in_file(&span))
    }

    fn in_file(&self, span: &Range<usize>) -> Range<usize> {
        self.query.span.start + span.start..self.query.span.start + span.end
    }

    fn untyped(&self, message: String, example: &str, place: Range<usize>) -> Diagnostic {
        Diagnostic::error("contract-types", message)
            .at(&self.source.file, place)
            .help(format!("say it at the head of the file, for instance `-- bootproof: {example}`"))
            .help(format!("the types are {}", annotation::types()))
    }
}

fn said<'a>(annotations: &'a [Annotation], name: &str) -> Option<&'a Annotation> {
    annotations.iter().find(|annotation| annotation.name == name)
}

/// The name of a field, raw where it is a keyword, if Rust can have such a field.
pub(crate) fn rust_name(name: &str) -> Option<proc_macro2::Ident> {
    // Whoever reads the field has to be able to write it, with nothing but what stands in the file.
    let plain = || syn::parse_str::<syn::Ident>(name).ok();
    let raw = || syn::parse_str::<syn::Ident>(&format!("r#{name}")).ok();
    plain().or_else(raw).filter(|ident| ident.to_string().trim_start_matches("r#") == name)
}

/// The table and the column that each result comes from, where it comes from one.
pub(super) fn origins(statement: &rusqlite::Statement<'_>) -> Vec<Option<(String, String)>> {
    let columns = statement.columns_with_metadata();
    let origin = |column: rusqlite::ColumnMetadata<'_>| {
        let is_main = column.database_name() == Some("main");
        let origin = column.table_name().zip(column.origin_name()).filter(|_| is_main);
        origin.map(|(table, column)| (table.to_owned(), column.to_owned()))
    };
    columns.map(origin).collect()
}

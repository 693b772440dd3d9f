//! A query contract as Rust: its constant, its function, and what goes in and comes out of it.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::{Extras, comment, constant_name, number, option, text};
use crate::compilation::{Column, Contract, Parameter};
use crate::contract::rust_name;
use crate::value::{Type, Typed};

pub(super) fn contract_ident(contract: &Contract) -> Ident {
    format_ident!("{}", constant_name(&contract.name))
}

pub(super) fn contract(contract: &Contract, extras: Extras) -> TokenStream {
    let constant = constant(contract);
    let typed = typed(contract, extras);
    quote!(#constant #typed)
}

fn constant(contract: &Contract) -> TokenStream {
    let ident = contract_ident(contract);
    let Contract { name, file, description, parameters, index, .. } = contract;
    let sql = text(&contract.sql);
    let since = number(contract.since);
    let (budget, shown_budget) = duration(contract.budget);
    let sample = option(contract.sample.as_ref().map(|sample| text(sample)));
    let sample_from = option(contract.sample_from.as_ref().map(|shared| text(shared)));
    let introduction = introduction(contract);
    let facts = comment(&format!("Uses the index `{index}`, takes at most {shown_budget}."));
    let takes = if parameters.is_empty() {
        " No parameters.".to_owned()
    } else {
        let names: Vec<_> = parameters.iter().map(|name| format!("`:{name}`")).collect();
        comment(&format!("Parameters: {}.", names.join(", ")))
    };
    quote! {
        #[doc = #introduction]
        #[doc = ""]
        #[doc = #facts]
        #[doc = #takes]
        pub const #ident: Contract = Contract {
            name: #name,
            file: #file,
            description: #description,
            sql: #sql,
            parameters: &[#(#parameters),*],
            index: #index,
            budget: #budget,
            since: #since,
            sample: #sample,
            sample_from: #sample_from,
        };
    }
}

/// The function and the module of one name.
fn typed(contract: &Contract, extras: Extras) -> TokenStream {
    let name = function_ident(&contract.name);
    let constant = contract_ident(contract);
    let parameters = &contract.signature.parameters;
    let introduction = introduction(contract);
    let every =
        comment(&format!("Every row, all at once; [`{name}::stream`] takes them one by one. Executes [`{constant}`]."));
    let belongs = comment(&format!("What [`{name}`](fn@{name}) takes and returns."));
    let structs = [params(parameters), row(&contract.signature.columns, extras)];
    let query = query_impl(contract);
    // Outside the module and inside: what a function takes, and what it hands on.
    let ((outer, passed), (inner, given)) = if parameters.is_empty() {
        ((TokenStream::new(), quote!(&#name::Params)), (TokenStream::new(), quote!(&Params)))
    } else {
        let lifetime = is_borrowing(parameters).then(|| quote!(<'_>));
        let params = quote!(params);
        ((quote!(params: &#name::Params #lifetime), params.clone()), (quote!(params: &Params #lifetime,), params))
    };
    quote! {
        #[doc = #introduction]
        #[doc = ""]
        #[doc = #every]
        pub fn #name(connection: &Connection, #outer) -> Result<Vec<#name::Row>> {
            ::bootproof::query::all(connection, #passed)
        }

        #[doc = #belongs]
        pub mod #name {
            use ::bootproof::compiled::Contract;
            use ::bootproof::query::{Columns, Query, Rows};
            use ::bootproof::rusqlite::{Connection, Result, Statement};

            #(#structs)*

            /// The first row, if there is one.
            pub fn first(connection: &Connection, #inner) -> Result<Option<Row>> {
                ::bootproof::query::first(connection, #given)
            }

            /// The rows one by one, without keeping them: returns what `read` makes of them.
            pub fn stream<T>(
                connection: &Connection,
                #inner
                read: impl FnOnce(&mut Rows<'_, Row>) -> Result<T>,
            ) -> Result<T> {
                ::bootproof::query::stream(connection, #given, read)
            }

            #query
        }
    }
}

fn params(parameters: &[Parameter]) -> TokenStream {
    if parameters.is_empty() {
        return quote! {
            /// It has no parameters.
            #[derive(Clone, Copy, Debug, PartialEq)]
            pub struct Params;
        };
    }
    let lifetime = is_borrowing(parameters).then(|| quote!(<'a>));
    // What is taken as it comes is not copied.
    let copy = parameters.iter().all(|each| each.typed.value != Type::Any).then(|| quote!(Copy,));
    let fields = parameters.iter().map(|Parameter { name, typed }| {
        let doc = comment(&format!("`:{name}`, {}.", typed.declaration()));
        let (field, value) = (field(name), parameter_type(*typed));
        quote! {
            #[doc = #doc]
            pub #field: #value
        }
    });
    quote! {
        /// Its parameters.
        #[derive(Clone, #copy Debug, PartialEq)]
        pub struct Params #lifetime { #(#fields),* }
    }
}

fn row(columns: &[Column], extras: Extras) -> TokenStream {
    let (derive, with_value) = if extras.serializes_rows {
        (
            quote! {
                #[derive(::bootproof::serde::Serialize)]
                #[serde(crate = "::bootproof::serde")]
            },
            Some(quote!(#[serde(serialize_with = "::bootproof::query::serialize_value")])),
        )
    } else {
        (TokenStream::new(), None)
    };
    let fields = columns.iter().map(|Column { name, typed, origin }| {
        let declaration = typed.declaration();
        let doc = match origin {
            Some(origin) => comment(&format!("`{origin}`, {declaration}.")),
            None => comment(&format!("{declaration}.")),
        };
        let (field, value) = (field(name), column_type(*typed));
        let with_value = with_value.as_ref().filter(|_| typed.value == Type::Any);
        quote! {
            #[doc = #doc]
            #with_value
            pub #field: #value
        }
    });
    quote! {
        /// One row of it.
        #[derive(Clone, Debug, PartialEq)]
        #derive
        pub struct Row { #(#fields),* }
    }
}

fn query_impl(contract: &Contract) -> TokenStream {
    let constant = contract_ident(contract);
    let parameters = &contract.signature.parameters;
    let lifetime = is_borrowing(parameters).then(|| quote!(<'_>));
    let statement = if parameters.is_empty() { format_ident!("_statement") } else { format_ident!("statement") };
    let binds = parameters.iter().enumerate().map(|(position, parameter)| {
        let (position, field) = (number(position + 1), field(&parameter.name));
        let reference = (parameter.typed.value == Type::Any).then(|| quote!(&));
        quote!(#statement.raw_bind_parameter(#position, #reference self.#field)?;)
    });
    let columns = contract.signature.columns.iter().enumerate().map(|(position, column)| {
        let (position, field) = (number(position), field(&column.name));
        quote!(#field: columns.get(#position)?)
    });
    quote! {
        impl Query for Params #lifetime {
            type Row = Row;

            const CONTRACT: &'static Contract = &super::#constant;

            fn bind(&self, #statement: &mut Statement<'_>) -> Result<()> {
                #(#binds)*
                Ok(())
            }

            fn row(columns: &Columns<'_>) -> Result<Row> {
                Ok(Row { #(#columns),* })
            }
        }
    }
}

/// Whether parameters borrow what they are given.
fn is_borrowing(parameters: &[Parameter]) -> bool {
    parameters.iter().any(|parameter| matches!(parameter.typed.value, Type::Text | Type::Blob))
}

fn parameter_type(typed: Typed) -> TokenStream {
    let value = match typed.value {
        Type::Integer => quote!(i64),
        Type::Real => quote!(f64),
        Type::Text => quote!(&'a str),
        Type::Blob => quote!(&'a [u8]),
        Type::Boolean => quote!(bool),
        Type::Any => return any(),
    };
    if typed.is_nullable { quote!(Option<#value>) } else { value }
}

fn column_type(typed: Typed) -> TokenStream {
    let value = match typed.value {
        Type::Integer => quote!(i64),
        Type::Real => quote!(f64),
        Type::Text => quote!(String),
        Type::Blob => quote!(Vec<u8>),
        Type::Boolean => quote!(bool),
        Type::Any => return any(),
    };
    if typed.is_nullable { quote!(Option<#value>) } else { value }
}

/// NULL is one of its values.
fn any() -> TokenStream {
    quote!(::bootproof::rusqlite::types::Value)
}

/// A name that has been found to be one of Rust's.
fn field(name: &str) -> Ident {
    rust_name(name).unwrap_or_else(|| Ident::new("unnamed", Span::call_site()))
}

/// The names of files begin with a letter, so that only `self` and its like are not names of Rust.
fn function_ident(name: &str) -> Ident {
    rust_name(name).or_else(|| rust_name(&format!("{name}_"))).unwrap_or_else(|| field("unnamed"))
}

fn introduction(contract: &Contract) -> String {
    let Contract { file, description, .. } = contract;
    if description.is_empty() { format!(" `{file}`.") } else { comment(description) }
}

fn duration(duration: Duration) -> (TokenStream, String) {
    let milliseconds = duration.as_millis();
    let literal = number(milliseconds);
    (quote!(::core::time::Duration::from_millis(#literal)), format!("{milliseconds} ms"))
}

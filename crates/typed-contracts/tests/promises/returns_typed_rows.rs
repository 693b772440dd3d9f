//! Every row is a struct whose fields have the types of the schema: these tests do not compile otherwise.

use rusqlite::types::Value;
use typed_contracts::query::{
    self, any, either, every_type, inner_join, one_aggregate, optional, outer_join, per_person, readings, self_,
    subquery, through_a_view,
};

use crate::database;

#[test]
fn of_every_type() {
    let rows = query::every_type(&database(), &every_type::Params { name: "Ada" }).unwrap();
    let first = every_type::Row {
        id: 1,
        name: "Ada".to_owned(),
        email: Some("ada@example.org".to_owned()),
        born: Some("1815-12-10".to_owned()),
        is_active: true,
        salary: Some(12.5),
        photo: Some(vec![0, 255]),
        extra: Value::Text("text".to_owned()),
        price: Some(7.0),
        r#type: "person".to_owned(),
    };
    let second = every_type::Row {
        id: 2,
        email: None,
        born: None,
        is_active: false,
        // SQLite stores 3.0 as 3 in such a column.
        salary: Some(3.0),
        photo: None,
        extra: Value::Integer(4),
        price: None,
        ..first.clone()
    };
    assert_eq!(rows, [first, second]);
    let json = serde_json::to_value(&rows).unwrap();
    assert_eq!(json[0]["extra"], "text");
    assert_eq!(json[1]["extra"], 4);
    assert_eq!(json[1]["photo"], serde_json::Value::Null);
    assert_eq!(json[0]["type"], "person");
}

#[test]
fn with_parameters_that_are_given_or_not() {
    let connection = database();
    let ids = |email| -> Vec<i64> {
        let rows = query::optional(&connection, &optional::Params { name: "Ada", email }).unwrap();
        rows.into_iter().map(|row| row.id).collect()
    };
    assert_eq!(ids(None), [1, 2]);
    assert_eq!(ids(Some("ada@example.org")), [1]);
    assert_eq!(ids(Some("")), [0; 0]);

    let params =
        any::Params { extra: Value::Text("text".to_owned()), name: "Ada", salary: 1.0, photo: &[1], is_active: true };
    let rows = query::any(&connection, &params).unwrap();
    assert_eq!(rows, [any::Row { id: 1, extra: Value::Text("text".to_owned()) }]);
    assert_eq!(query::any(&connection, &any::Params { extra: Value::Null, ..params }).unwrap(), []);

    let rows = query::r#match(&connection).unwrap();
    assert_eq!(rows.first().map(|row| row.r#type.as_str()), Some("person"));
    let rows = query::self_(&connection, &self_::Params { a: "Ada", b: "Eve" }).unwrap();
    let born = Some("1815-12-10".to_owned());
    assert_eq!(rows.first(), Some(&self_::Row { r#fn: 1, userName: "Ada".to_owned(), größe: born }));
}

#[test]
fn with_null_wherever_the_query_may_make_one() {
    let connection = database();
    let title = |title: &str| Some(title.to_owned());
    let titles: Vec<(String, Option<String>)> = query::outer_join(&connection, &outer_join::Params { name: "Ada" })
        .unwrap()
        .into_iter()
        .map(|row| (row.name, row.title))
        .collect();
    assert_eq!(titles.iter().filter(|(_, title)| title.is_none()).count(), 1);
    assert_eq!(titles.len(), 3);
    let rows = query::through_a_view(&connection, &through_a_view::Params { name: "Ada" }).unwrap();
    let titles: Vec<(Option<String>, Option<String>)> = rows.into_iter().map(|row| (row.name, row.title)).collect();
    assert!(titles.contains(&(title("Ada"), None)));

    let nobody = query::one_aggregate(&connection, &one_aggregate::Params { name: "Eve" }).unwrap();
    assert_eq!(nobody, [one_aggregate::Row { name: None, people: 0 }]);
    let found = query::subquery(&connection, &subquery::Params { name: "Ada" }).unwrap();
    assert_eq!(
        found,
        [subquery::Row { title: title("one"), is_busy: true }, subquery::Row { title: None, is_busy: false }]
    );
    let both = query::either(&connection, &either::Params { name: "Ada", most: 3 }).unwrap();
    assert_eq!(both.iter().map(|row| row.name.clone()).collect::<Vec<_>>(), [title("Ada"), title("Ada"), None]);
}

#[test]
fn without_null_where_there_is_none() {
    let connection = database();
    let rows = query::inner_join(&connection, &inner_join::Params { name: "Ada" }).unwrap();
    let row = inner_join::Row { person_id: 1, name: "Ada".to_owned(), title: "one".to_owned(), ratio: Some(0.5) };
    assert_eq!(rows.first(), Some(&row));
    let rows = query::per_person(&connection, &per_person::Params { person_id: 0 }).unwrap();
    let row = per_person::Row {
        person_id: 1,
        tasks: 2,
        seconds: Some(180),
        longest: 120,
        first: Some("one".to_owned()),
        ratio: Some(0.5),
        titles: Some("one, two".to_owned()),
        hours: 0.05,
    };
    assert_eq!(rows, [row]);
    let rows = query::readings(&connection, &readings::Params { from: 1, to: 3 }).unwrap();
    let values: Vec<Value> = rows.into_iter().map(|row| row.value).collect();
    assert_eq!(values, [Value::Integer(1), Value::Text("one".to_owned()), Value::Null]);
}

#[test]
fn one_by_one_or_only_the_first() {
    let connection = database();
    let params = readings::Params { from: 1, to: 3 };
    let sum: i64 = readings::stream(&connection, &params, |rows| rows.map(|row| Ok(row?.at)).sum()).unwrap();
    assert_eq!(sum, 6);
    let second = readings::stream(&connection, &params, |rows| rows.nth(1).transpose()).unwrap();
    assert_eq!(second.map(|row| row.at), Some(2));
    assert_eq!(readings::first(&connection, &params).unwrap().map(|row| row.at), Some(1));
    assert_eq!(readings::first(&connection, &readings::Params { from: 9, to: 9 }).unwrap(), None);
    // A query inside the rows of the same query.
    let pairs: usize = readings::stream(&connection, &params, |rows| {
        rows.map(|row| Ok(query::readings(&connection, &readings::Params { from: row?.at, ..params })?.len())).sum()
    })
    .unwrap();
    assert_eq!(pairs, 6);
}

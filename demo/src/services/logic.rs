//! The business logic of the services, traced or not: a storefront makes an offer from the data of its catalog and pricing.

use rusqlite::{Connection, OptionalExtension};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Products are numbered from 0.
pub(crate) const PRODUCTS: u64 = 64;

/// The number of reviews of each product.
const REVIEWS: u64 = 40;

/// Returns the number of spans of a request for `product`. A request that fails renders no offer.
pub(crate) const fn span_count(product: u64) -> u64 {
    if has_price(product) { 8 } else { 7 }
}

/// Returns the number of log records of a request for `product`, with events down to the level `debug`. Of a request that fails,
/// two functions log the error, and `TraceLayer` two responses.
pub(crate) const fn log_record_count(product: u64) -> u64 {
    if has_price(product) { 5 } else { 7 }
}

pub(crate) const fn has_price(product: u64) -> bool {
    product % 16 != 7
}

/// The products, in an SQLite database in memory.
#[derive(Debug)]
pub(crate) struct Catalog(Mutex<Connection>);

impl Catalog {
    pub(crate) const QUERY: &str = "SELECT name, avg(stars) FROM products \
        JOIN reviews ON product = products.id WHERE products.id = ?1 GROUP BY products.id";

    pub(crate) fn open() -> rusqlite::Result<Self> {
        let database = Connection::open_in_memory()?;
        database.execute_batch(
            "CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
             CREATE TABLE reviews (product INTEGER NOT NULL, stars INTEGER NOT NULL);
             CREATE INDEX reviews_of ON reviews (product);",
        )?;
        for product in 0..PRODUCTS {
            database.execute(
                "INSERT INTO products (id, name) VALUES (?1, ?2)",
                (product as i64, format!("lamp no. {product}")),
            )?;
            for review in 0..REVIEWS {
                database.execute(
                    "INSERT INTO reviews (product, stars) VALUES (?1, ?2)",
                    (product as i64, ((product + review) % 5 + 1) as i64),
                )?;
            }
        }
        Ok(Self(Mutex::new(database)))
    }

    /// Returns the name and the rating of the product, if it exists.
    ///
    /// Runs on the caller's thread: a query in memory takes less time than to pass it to another thread.
    pub(crate) fn describe(&self, product: u64) -> rusqlite::Result<Option<String>> {
        let database = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        database
            .prepare_cached(Self::QUERY)?
            .query_row([product as i64], |row| {
                let (name, stars): (String, f64) = (row.get(0)?, row.get(1)?);
                Ok(format!("{name}, {stars:.1} stars"))
            })
            .optional()
    }
}

/// The error of a product without a price.
#[derive(Debug)]
pub(crate) struct NoPrice(u64);

impl fmt::Display for NoPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "product {} has no price", self.0)
    }
}

impl std::error::Error for NoPrice {}

/// Returns the price in cents, before the discount.
pub(crate) fn list_price(product: u64) -> Result<u64, NoPrice> {
    if has_price(product) {
        Ok(1_999 + 100 * product)
    } else {
        Err(NoPrice(product))
    }
}

/// Returns the discount in percent.
pub(crate) fn discount(product: u64) -> u64 {
    5 * (product % 4)
}

pub(crate) fn reduced(cents: u64, percent: u64) -> u64 {
    cents * (100 - percent) / 100
}

pub(crate) fn offer(name: &str, cents: &str) -> String {
    format!("<p>{name} for {cents} cents</p>")
}

use crate::Counts;

/// Formats the outcome of each file as a table, with a sum if there are several files.
pub fn table(rows: &[(String, Counts)]) -> String {
    let mut sum = Counts::default();
    for (_, counts) in rows {
        sum.spans += counts.spans;
        sum.delivered += counts.delivered;
        sum.dropped += counts.dropped;
        sum.events += counts.events;
        sum.attributes += counts.attributes;
        sum.shared += counts.shared;
    }
    let all = ("all".to_owned(), sum);
    let rows = rows.iter().chain((rows.len() > 1).then_some(&all));
    let width = rows
        .clone()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0)
        .max("file".len());
    let mut table = format!(
        "{:<width$} {:>9} {:>10} {:>8} {:>7} {:>11}\n",
        "file", "spans in", "delivered", "dropped", "events", "attributes"
    );
    for (name, counts) in rows {
        table += &format!(
            "{name:<width$} {:>9} {:>10} {:>8} {:>7} {:>11}\n",
            counts.spans, counts.delivered, counts.dropped, counts.events, counts.attributes
        );
    }
    if sum.shared > 0 {
        table += &format!(
            "{} spans have their id in common with another, as client and server do in Zipkin: each keeps it.\n",
            sum.shared
        );
    }
    table
}

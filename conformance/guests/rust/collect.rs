//! Counts words of standard input in a `HashMap`, runs them through boxed closures and prints a report. The closures give up the
//! processor, so the guest can be moved with trait objects and iterators on its stack.
//!
//!   collect [EVERY] < text    EVERY: words between two yields, 0 for none

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, Write};
use std::thread;

type Stage = Box<dyn Fn(&str, u64) -> u64>;

fn stages(every: u64) -> Vec<(&'static str, Stage)> {
    let breathe = move |nth: u64| {
        if every != 0 && nth % every == 0 {
            thread::yield_now();
        }
    };
    vec![
        ("length", Box::new(|word: &str, acc| acc + word.len() as u64)),
        (
            "hash",
            Box::new(move |word: &str, acc| {
                breathe(acc & 0xffff);
                word.bytes().fold(acc, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(1_099_511_628_211))
            }),
        ),
        (
            "vowels",
            Box::new(|word: &str, acc| acc + word.chars().filter(|c| "aeiou".contains(*c)).count() as u64),
        ),
    ]
}

fn main() -> io::Result<()> {
    let every: u64 = std::env::args().nth(1).map_or(0, |text| text.parse().unwrap_or(0));
    let mut counts: HashMap<String, u64> = HashMap::new();
    let mut words = 0u64;
    for line in io::stdin().lock().lines() {
        for word in line?.split_whitespace() {
            words += 1;
            if every != 0 && words % every == 0 {
                thread::yield_now();
            }
            *counts.entry(word.to_lowercase()).or_insert(0) += 1;
        }
    }
    if words == 0 {
        eprintln!("no words on standard input");
        std::process::exit(2);
    }
    let mut by_count: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for (word, count) in &counts {
        by_count.entry(*count).or_default().push(word);
    }
    let mut sorted: Vec<&String> = counts.keys().collect();
    sorted.sort();
    let out = io::stdout();
    let mut out = out.lock();
    for (name, stage) in stages(every) {
        let value = sorted.iter().fold(0u64, |acc, word| stage(word, acc));
        writeln!(out, "{name}: {value:x}")?;
    }
    for (count, mut names) in by_count.into_iter().rev().take(5) {
        names.sort_unstable();
        writeln!(out, "{count:>6} {}", names.join(" "))?;
    }
    writeln!(out, "{words} words, {} distinct", counts.len())
}

//! An agent in Rust without WASI: a ledger of accounts in a `BTreeMap`. A message is `NAME AMOUNT` (a signed number) or `?`; the
//! reply is the account's balance, or all balances. `.` ends it with the number of accounts as status.

use std::collections::BTreeMap;

#[link(wasm_import_module = "glia.v1")]
extern "C" {
    fn receive(buffer: *mut u8, capacity: usize) -> i32;
    fn reply(payload: *const u8, length: usize) -> i32;
}

type Rule = Box<dyn Fn(i64) -> Result<i64, String>>;

struct Ledger {
    accounts: BTreeMap<String, i64>,
    rules: Vec<Rule>,
}

impl Ledger {
    fn new() -> Self {
        let no_debt: Rule = Box::new(|balance| if balance < 0 { Err(format!("{balance} is below zero")) } else { Ok(balance) });
        let capped: Rule = Box::new(|balance| if balance > 1_000_000 { Err("over the cap".into()) } else { Ok(balance) });
        Ledger { accounts: BTreeMap::new(), rules: vec![no_debt, capped] }
    }

    fn post(&mut self, line: &str) -> Result<String, String> {
        let (name, amount) = line.split_once(' ').ok_or("expected NAME AMOUNT")?;
        let amount: i64 = amount.parse().map_err(|error| format!("{amount}: {error}"))?;
        let balance = self.accounts.get(name).copied().unwrap_or(0);
        let balance = balance.checked_add(amount).ok_or("overflow")?;
        let balance = self.rules.iter().try_fold(balance, |value, rule| rule(value))?;
        self.accounts.insert(name.to_owned(), balance);
        Ok(format!("{name} {balance}"))
    }

    fn report(&self) -> String {
        let lines: Vec<String> = self.accounts.iter().map(|(name, balance)| format!("{name} {balance}")).collect();
        lines.join("\n")
    }
}

#[no_mangle]
pub extern "C" fn glia_main() -> i32 {
    let mut ledger = Ledger::new();
    let mut buffer = vec![0u8; 256];
    loop {
        let length = unsafe { receive(buffer.as_mut_ptr(), buffer.len()) };
        let length = match usize::try_from(length) {
            Ok(length) => length,
            Err(_) => return 100,
        };
        let line = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let answer = match line.trim() {
            "." => return ledger.accounts.len() as i32,
            "?" => ledger.report(),
            other => ledger.post(other).unwrap_or_else(|error| format!("refused: {error}")),
        };
        unsafe { reply(answer.as_ptr(), answer.len()) };
    }
}

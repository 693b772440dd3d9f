//! The query contracts of a boot: sampled once, proven, and timed when that is asked for.

use std::collections::BTreeMap;
use std::time::Instant;

use super::order::Run;
use crate::compiled::Contract;
use crate::connection::Session;
use crate::error::Error;
use crate::probe::{self, Parameters, Proof};
use crate::report::{CheckName, Outcome, QueryReport, Timing};

/// What a boot knows of the contracts on its way.
#[derive(Debug, Default)]
pub(super) struct Contracts {
    /// The parameters, sampled when first needed: finding the heaviest can cost a scan.
    samples: BTreeMap<&'static str, Vec<Parameters>>,
    /// The timings before the migration.
    before: BTreeMap<&'static str, Timing>,
}

impl Run<'_> {
    /// Proves every contract's plan with sampled parameters; returns those that do not hold.
    ///
    /// Unless `thorough`, a contract is asked first without parameters, which costs microseconds, and sampled only if it
    /// misses its index that way.
    pub(super) fn check_contracts(&mut self, session: &Session<'_>, thorough: bool) -> Result<Vec<String>, Error> {
        let start = Instant::now();
        let contracts = self.schema.compiled().contracts;
        let (mut broken, mut direct) = (Vec::new(), 0);
        self.report.queries.clear();
        for contract in contracts {
            let proof = self.prove(session, contract, thorough)?;
            if let Some(plan) = &proof.missed {
                let samples = self.samples(session, contract)?;
                if probe::is_direct(session.connection, contract, samples)? {
                    direct += 1;
                    let note =
                        format!("`{}` does without `{}`: little data to choose from", contract.name, contract.index);
                    self.report.notes.push(note);
                } else {
                    broken.push(format!("`{}` must use `{}`, and the plan is: {plan}", contract.name, contract.index));
                }
            }
            self.report.queries.push(QueryReport {
                name: contract.name,
                expected_index: contract.index,
                index_used: proof.index_used,
                budget_ms: contract.budget.into(),
                before: None,
                after: None,
            });
        }
        let (outcome, detail) = match (contracts.len(), direct) {
            (0, _) => (Outcome::Skipped, "no query contracts".to_owned()),
            _ if !broken.is_empty() => (Outcome::Failed, broken.join("; ")),
            (count, 0) => (Outcome::Passed, format!("{count} queries use their index")),
            (count, _) => (Outcome::Passed, format!("{} queries use their index, {direct} need none", count - direct)),
        };
        self.report.record(CheckName::QueryPlans, outcome, detail, start.elapsed().into());
        Ok(broken)
    }

    fn prove(&mut self, session: &Session<'_>, contract: &'static Contract, thorough: bool) -> Result<Proof, Error> {
        if !thorough {
            let proof = probe::prove(session.connection, contract, &[])?;
            if proof.missed.is_none() {
                return Ok(proof);
            }
        }
        let samples = self.samples(session, contract)?;
        probe::prove(session.connection, contract, samples)
    }

    fn samples(&mut self, session: &Session<'_>, contract: &'static Contract) -> Result<&[Parameters], Error> {
        if !self.contracts.samples.contains_key(contract.name) {
            let samples = probe::sample(session.connection, contract)?;
            self.contracts.samples.insert(contract.name, samples);
        }
        Ok(self.contracts.samples.get(contract.name).map(Vec::as_slice).unwrap_or_default())
    }

    /// Times the contracts on the database as it is before a migration. What a contract asks for may not be there yet.
    pub(super) fn benchmark_before(&mut self, session: &Session<'_>) {
        log::info!("timing the query contracts before migrating");
        for contract in self.schema.compiled().contracts {
            match self.time(session, contract) {
                Ok(timing) => {
                    self.contracts.before.insert(contract.name, timing);
                }
                Err(error) => log::info!("`{}` cannot be timed before migrating: {error}", contract.name),
            }
        }
    }

    /// Times the contracts and adds the timings, and those from before, to the report.
    pub(super) fn benchmark(&mut self, session: &Session<'_>) -> Result<(), Error> {
        log::info!("timing the query contracts");
        for contract in self.schema.compiled().contracts {
            let timing = self.time(session, contract)?;
            if let Some(query) = self.report.queries.iter_mut().find(|query| query.name == contract.name) {
                query.before = self.contracts.before.get(contract.name).copied();
                query.after = Some(timing);
            }
        }
        Ok(())
    }

    /// Outside a transaction, where each query may meet another process that commits.
    fn time(&mut self, session: &Session<'_>, contract: &'static Contract) -> Result<Timing, Error> {
        session.patience.waiting(|| {
            let samples = self.samples(session, contract)?;
            probe::time(session.connection, contract, samples).map_err(|error| session.patience.explain(error))
        })
    }
}

//! The query contracts of a boot: sampled once, proven, and timed when that is asked for.

use std::collections::BTreeMap;
use std::time::Instant;

use super::order::Run;
use crate::compiled::Contract;
use crate::connection::Session;
use crate::error::Error;
use crate::event::Step;
use crate::probe::{self, Parameters, Proof, Shared};
use crate::report::{CheckName, Outcome, QueryReport, Timing};
use crate::statistics::{self, Depth};

/// What a boot knows of the contracts on its way.
#[derive(Debug, Default)]
pub(super) struct Contracts {
    /// The parameters, sampled when first needed: finding the heaviest can cost a scan.
    samples: BTreeMap<&'static str, Vec<Parameters>>,
    shared: Shared,
    /// The plans and timings before the migration.
    before: BTreeMap<&'static str, (Proof, Timing)>,
}

impl Contracts {
    /// Rows have come, or may have: what found none is asked for again, and what several share. Parameters that were found stay, so
    /// that the timings before and after are of the same.
    pub(super) fn look_again(&mut self) {
        self.samples.retain(|_, samples| !samples.is_empty());
        self.shared = Shared::default();
    }
}

impl Run<'_> {
    /// Proves the plan of every contract that applies at a version, with sampled parameters; returns those that do not
    /// hold.
    ///
    /// Unless `thorough`, a contract is asked first without parameters, which costs microseconds, and sampled only if it
    /// misses its index that way.
    pub(super) fn check_contracts(
        &mut self,
        session: &Session<'_>,
        version: i64,
        thorough: bool,
    ) -> Result<Vec<String>, Error> {
        let start = Instant::now();
        self.report.queries.clear();
        let contracts: Vec<_> = self.contracts_at(version).collect();
        let (broken, direct) = self.watch.clone().step(Step::Contracts, 0, || {
            let (mut broken, mut direct) = (Vec::new(), 0);
            for (number, contract) in contracts.iter().enumerate() {
                self.watch.advance(number as u64, contracts.len() as u64)?;
                let proof = self.prove(session, contract, thorough)?;
                if let Some(plan) = &proof.missed {
                    if self.is_direct(session, contract)? {
                        direct += 1;
                    } else {
                        broken.push(format!(
                            "`{}` must use `{}`, and the plan is: {plan}",
                            contract.name, contract.index
                        ));
                    }
                }
                self.report.queries.push(QueryReport::proven(contract, proof));
            }
            Ok((broken, direct))
        })?;
        let (outcome, detail) = match (contracts.len(), direct) {
            (0, _) => (Outcome::Skipped, "no query contracts".to_owned()),
            _ if !broken.is_empty() => (Outcome::Failed, broken.join("; ")),
            (1, 0) => (Outcome::Passed, "1 query uses its index".to_owned()),
            (count, 0) => (Outcome::Passed, format!("{count} queries use their index")),
            (count, _) => {
                (Outcome::Passed, format!("{} of {count} queries use their index, {direct} need none", count - direct))
            }
        };
        self.report.record(CheckName::QueryPlans, outcome, detail, start.elapsed().into());
        Ok(broken)
    }

    /// Every query contract must hold, if need be with statistics of every row.
    pub(super) fn require_contracts(&mut self, session: &Session<'_>, version: i64) -> Result<(), Error> {
        if self.check_contracts(session, version, true)?.is_empty() {
            return Ok(());
        }
        log::info!("a query contract missed its index: gathering statistics of every row");
        self.gather_statistics(session, Depth::Whole)?;
        let contracts = self.check_contracts(session, version, true)?;
        if contracts.is_empty() { Ok(()) } else { Err(Error::ContractBroken { contracts }) }
    }

    pub(super) fn gather_statistics(&mut self, session: &Session<'_>, depth: Depth) -> Result<(), Error> {
        let expected = if depth == Depth::Whole { self.load.statistics() } else { 0 };
        let gather = || statistics::gather(session.connection, depth);
        self.report.notes.extend(self.watch.step(Step::Statistics, expected, gather)?);
        Ok(())
    }

    fn contracts_at(&self, version: i64) -> impl Iterator<Item = &'static Contract> + use<> {
        self.schema.contracts().filter(move |contract| contract.since <= version)
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

    /// Whether a contract costs too little for its plan to matter, which is noted.
    fn is_direct(&mut self, session: &Session<'_>, contract: &'static Contract) -> Result<bool, Error> {
        let samples = self.samples(session, contract)?;
        let is_direct = probe::is_direct(session.connection, contract, samples)?;
        if is_direct {
            let (name, index) = (contract.name, contract.index);
            self.report.notes.push(format!("`{name}` does without `{index}`: little data to choose from"));
        }
        Ok(is_direct)
    }

    fn samples(&mut self, session: &Session<'_>, contract: &'static Contract) -> Result<&[Parameters], Error> {
        if !self.contracts.samples.contains_key(contract.name) {
            let samples = probe::sample(session.connection, contract, &mut self.contracts.shared)?;
            self.contracts.samples.insert(contract.name, samples);
        }
        Ok(self.contracts.samples.get(contract.name).map(Vec::as_slice).unwrap_or_default())
    }

    /// Times the contracts on the database as it is before a migration. What a contract asks for may not be there yet.
    pub(super) fn benchmark_before(&mut self, session: &Session<'_>) -> Result<(), Error> {
        log::info!("timing the query contracts before migrating");
        self.time_all(self.schema.head(), session, |run, contract, timed| {
            match timed {
                Ok(before) => {
                    run.contracts.before.insert(contract.name, before);
                }
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => log::info!("`{}` cannot be timed before migrating: {error}", contract.name),
            }
            Ok(())
        })?;
        // Another process may be the one that migrates.
        self.contracts.look_again();
        Ok(())
    }

    /// Reports the timings before a migration that is not made now.
    pub(super) fn report_before(&mut self) {
        self.report.queries.clear();
        for contract in self.schema.contracts() {
            if let Some((proof, timing)) = self.contracts.before.remove(contract.name) {
                self.report.queries.push(QueryReport { before: Some(timing), ..QueryReport::proven(contract, proof) });
            }
        }
    }

    /// Times the contracts and adds the timings, and those from before, to the report.
    pub(super) fn benchmark(&mut self, session: &Session<'_>) -> Result<(), Error> {
        log::info!("timing the query contracts");
        let version = self.report.to_version.unwrap_or(self.schema.head());
        self.time_all(version, session, |run, contract, timed| {
            let (proof, timing) = timed?;
            let before = run.contracts.before.remove(contract.name);
            if let Some(query) = run.report.queries.iter_mut().find(|query| query.name == contract.name) {
                query.after = Some(timing);
                query.plan_after = proof.plan;
                if let Some((proof, timing)) = before {
                    query.before = Some(timing);
                    query.index_before = proof.index_used;
                    query.plan_before = proof.plan;
                }
            }
            Ok(())
        })
    }

    /// Outside a transaction, where each query may meet another process that commits.
    fn time(&mut self, session: &Session<'_>, contract: &'static Contract) -> Result<(Proof, Timing), Error> {
        session.patience.waiting(|| {
            let samples = self.samples(session, contract)?;
            let timed = probe::prove(session.connection, contract, samples)
                .and_then(|proof| Ok((proof, probe::time(session.connection, contract, samples)?)));
            timed.map_err(|error| session.patience.explain(error))
        })
    }

    /// With the page cache of an application.
    fn time_all(
        &mut self,
        version: i64,
        session: &Session<'_>,
        mut each: impl FnMut(&mut Self, &'static Contract, Result<(Proof, Timing), Error>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let watch = self.watch.clone();
        let contracts: Vec<_> = self.contracts_at(version).collect();
        watch.step(Step::Benchmark, 0, || {
            session.shrink_cache()?;
            for (done, contract) in contracts.iter().enumerate() {
                watch.advance(done as u64, contracts.len() as u64)?;
                let timed = self.time(session, contract);
                each(self, contract, timed)?;
            }
            Ok(())
        })
    }
}

impl QueryReport {
    /// A contract whose plan was asked for and that was not timed.
    fn proven(contract: &'static Contract, proof: Proof) -> Self {
        Self {
            name: contract.name,
            expected_index: contract.index,
            index_used: proof.index_used,
            index_before: None,
            budget_ms: contract.budget.into(),
            before: None,
            after: None,
            plan_before: Vec::new(),
            plan_after: proof.plan,
        }
    }
}

//! Who works at acme.example, and with what.

use std::sync::Arc;

use crate::world::Actor;

/// Somebody of the cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Priya,
    Tomas,
    Ingrid,
    Kwame,
    Elena,
    Hannah,
    Jonas,
    /// The agent works through her account.
    Mei,
}

impl Who {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Priya => ("Priya Raman", "priya.raman"),
            Self::Tomas => ("Tomás Herrera", "tomas.herrera"),
            Self::Ingrid => ("Ingrid Solberg", "ingrid.solberg"),
            Self::Kwame => ("Kwame Boateng", "kwame.boateng"),
            Self::Elena => ("Elena Petrova", "elena.petrova"),
            Self::Hannah => ("Hannah Weiss", "hannah.weiss"),
            Self::Jonas => ("Jonas Lind", "jonas.lind"),
            Self::Mei => ("Mei Tanaka", "mei.tanaka"),
        }
    }

    pub(super) fn actor(self) -> Arc<Actor> {
        let (name, local) = self.names();
        Arc::new(Actor {
            email: format!("{local}@acme.example"),
            name: name.to_owned(),
        })
    }
}

/// One of the three folders: what it holds before the night, and what the agent then does to it.
#[derive(Debug)]
pub(super) struct Department {
    /// Path from the root.
    pub(super) folder: &'static str,
    /// Who works in it; the first wrote its CLAUDE.md.
    pub(super) people: &'static [Who],
    /// Files as they are first created, relative to the folder, with kilobytes.
    pub(super) files: &'static [(&'static str, u64)],
    /// Spreadsheets that come out much smaller.
    pub(super) overwritten: &'static [&'static str],
    /// Folders whose files get other names.
    pub(super) tidied: &'static [&'static str],
    /// Folders that are put away, and where to.
    pub(super) hidden: &'static [(&'static str, &'static str)],
    /// Folders whose files go.
    pub(super) stale: &'static [&'static str],
    /// Brought back the morning after, by whom.
    pub(super) rescued: &'static [(Who, &'static str)],
}

impl Department {
    /// Path from the root of something in the folder.
    pub(super) fn path(&self, relative: &str) -> String {
        format!("{}/{relative}", self.folder)
    }

    /// One of its people, by any number.
    pub(super) fn person(&self, number: usize) -> Who {
        self.people
            .get(number % self.people.len().max(1))
            .copied()
            .unwrap_or(Who::Mei)
    }
}

pub(super) const FINANCE: Department = Department {
    folder: "Finance/Month-end close",
    people: &[Who::Priya, Who::Tomas, Who::Ingrid, Who::Mei],
    files: &[
        ("Close calendar.xlsx", 64),
        ("Close checklist.xlsx", 88),
        ("Trial balance.xlsx", 312),
        ("Journal entry log.xlsx", 236),
        ("Consolidation.xlsx", 348),
        ("Scratch.xlsx", 12),
        ("01 Reconciliations/Bank rec operating EUR.xlsx", 121),
        ("01 Reconciliations/Bank rec operating USD.xlsx", 118),
        ("01 Reconciliations/Bank rec payroll.xlsx", 74),
        ("01 Reconciliations/Prepaid expenses.xlsx", 93),
        ("01 Reconciliations/Fixed assets rollforward.xlsx", 187),
        ("01 Reconciliations/Lease liabilities.xlsx", 142),
        ("Accruals draft.xlsx", 96),
        ("02 Accruals/Bonus accrual.xlsx", 66),
        ("02 Accruals/Vendor accruals.xlsx", 102),
        ("02 Accruals/Utilities estimate.xlsx", 31),
        ("03 Intercompany/IC matrix.xlsx", 210),
        ("03 Intercompany/IC confirmations.docx", 58),
        ("03 Intercompany/Transfer pricing note.docx", 49),
        ("04 Reporting pack/Flux analysis.xlsx", 233),
        ("04 Reporting pack/Board summary.pptx", 404),
        ("04 Reporting pack/KPI commentary.docx", 77),
        ("Prior close/Trial balance.xlsx", 298),
        ("Prior close/Bank rec operating EUR.xlsx", 119),
        ("Prior close/Bank rec operating USD.xlsx", 117),
        ("Prior close/Accruals schedule.xlsx", 151),
        ("Prior close/Flux analysis.xlsx", 226),
        ("Prior close/IC matrix.xlsx", 204),
        ("Prior close/Journal entry log.xlsx", 281),
        ("Prior close/Close checklist signed.pdf", 340),
        ("Prior close/Auditor requests.xlsx", 57),
        ("Prior close/Auditor responses.docx", 112),
        ("Prior close/Tax provision.xlsx", 133),
        ("Prior close/Deferred revenue.xlsx", 165),
        ("Prior close/Inventory count.xlsx", 89),
        ("Prior close/Payroll register.xlsx", 144),
    ],
    overwritten: &[
        "Trial balance.xlsx",
        "Journal entry log.xlsx",
        "Consolidation.xlsx",
        "03 Intercompany/IC matrix.xlsx",
        "04 Reporting pack/Flux analysis.xlsx",
    ],
    hidden: &[],
    tidied: &["01 Reconciliations", "02 Accruals"],
    stale: &["Prior close"],
    rescued: &[
        (Who::Priya, "Prior close/Trial balance.xlsx"),
        (Who::Priya, "Prior close/Tax provision.xlsx"),
        (Who::Tomas, "Prior close/Close checklist signed.pdf"),
    ],
};

pub(super) const LEGAL: Department = Department {
    folder: "Legal/Contracts",
    people: &[Who::Kwame, Who::Elena, Who::Mei],
    files: &[
        ("Contract register.xlsx", 178),
        ("Clause library.docx", 132),
        ("Renewal tracker.xlsx", 95),
        ("Signature authority.xlsx", 41),
        ("Templates/NDA mutual.docx", 38),
        ("Templates/NDA one way.docx", 36),
        ("Templates/Master services agreement.docx", 84),
        ("Templates/Data processing agreement.docx", 97),
        ("Templates/Statement of work.docx", 45),
        ("Templates/Order form.docx", 28),
        ("Signed/Brightwater lease.pdf", 410),
        ("Signed/Calder Print framework.pdf", 265),
        ("Signed/Juniper Rowe NDA.pdf", 121),
        ("Signed/Marlow Freight MSA.pdf", 322),
        ("Signed/Sable Systems licence.pdf", 288),
        ("Drafts/Osprey Logistics MSA.docx", 92),
        ("Drafts/Northfold NDA.docx", 37),
        ("Drafts/Quarry Lane DPA redline.docx", 101),
        ("Drafts/Tessellate reseller agreement.docx", 118),
        ("Drafts/Halvorsen amendment 2.docx", 33),
        ("Drafts/Brightwater side letter.docx", 29),
        ("Drafts/Calder Print price schedule.xlsx", 52),
        ("Drafts/Marlow Freight renewal.docx", 61),
        ("Drafts/Ostara consulting agreement.docx", 64),
        ("Negotiation notes/Osprey call 1.docx", 18),
        ("Negotiation notes/Osprey call 2.docx", 21),
        ("Negotiation notes/Tessellate issues list.xlsx", 44),
        ("Negotiation notes/Quarry Lane positions.docx", 26),
        ("Negotiation notes/Halvorsen history.docx", 39),
        ("Negotiation notes/Marlow rate benchmarks.xlsx", 73),
        ("Negotiation notes/Fallback positions.docx", 31),
        ("Negotiation notes/Escalations.docx", 15),
    ],
    overwritten: &["Contract register.xlsx", "Renewal tracker.xlsx"],
    hidden: &[("Signed", "To delete/Signed")],
    tidied: &["Templates"],
    stale: &["Drafts", "Negotiation notes"],
    rescued: &[
        (Who::Kwame, "Drafts/Tessellate reseller agreement.docx"),
        (Who::Elena, "Drafts/Quarry Lane DPA redline.docx"),
        (Who::Elena, "Negotiation notes/Fallback positions.docx"),
    ],
};

pub(super) const MARKETING: Department = Department {
    folder: "Marketing/Launch",
    people: &[Who::Hannah, Who::Jonas, Who::Mei],
    files: &[
        ("Launch plan.xlsx", 142),
        ("Budget.xlsx", 118),
        ("Messaging.docx", 54),
        ("Press release v1.docx", 32),
        ("Questions and answers.docx", 47),
        ("Launch deck.pptx", 486),
        ("Lead list.xlsx", 207),
        ("Event run sheet.xlsx", 63),
        ("Old banner.png", 240),
        ("Assets/Banner wide.png", 310),
        ("Assets/Banner square.png", 224),
        ("Assets/Product shot front.png", 420),
        ("Assets/Product shot side.png", 415),
        ("Assets/Logo lockup.svg", 14),
        ("Copy/Email announcement.docx", 24),
        ("Copy/Email reminder.docx", 19),
        ("Copy/Landing page.docx", 41),
        ("Copy/Social posts.xlsx", 38),
        ("Copy/Partner blurb.docx", 17),
        ("Interviews/Customer call Aria.docx", 29),
        ("Interviews/Customer call Benedikt.docx", 31),
        ("Interviews/Customer call Chandra.docx", 27),
        ("Interviews/Customer call Dana.docx", 33),
        ("Interviews/Customer call Emeka.docx", 25),
        ("Interviews/Customer call Freya.docx", 30),
        ("Interviews/Interview guide.docx", 22),
        ("Interviews/Themes.xlsx", 58),
        ("Moodboards/Autumn light.png", 290),
        ("Moodboards/Workshop floor.png", 305),
        ("Moodboards/Typography.pdf", 188),
        ("Moodboards/Colour study.pdf", 172),
        ("Moodboards/Reference photos.pdf", 395),
        ("Moodboards/Competitor screens.pdf", 340),
    ],
    overwritten: &["Launch plan.xlsx", "Budget.xlsx", "Lead list.xlsx"],
    hidden: &[],
    tidied: &["Copy", "Creative assets"],
    stale: &["Interviews", "Moodboards"],
    rescued: &[
        (Who::Hannah, "Interviews/Themes.xlsx"),
        (Who::Jonas, "Interviews/Customer call Dana.docx"),
        (Who::Jonas, "Moodboards/Typography.pdf"),
    ],
};

pub(super) const DEPARTMENTS: [&Department; 3] = [&FINANCE, &LEGAL, &MARKETING];

//! How an edit changes the world.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    Action, Actor, Affected, Edit, Folder, Item, ItemKind, ItemNo, ItemState, Op, Save, Slot, What, World,
};
use crate::error::{EditProblem, SimulatorError};

/// Which slots an operation moves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carries {
    /// Descendants keep their slots.
    Nothing,
    /// Descendants get new tree slots.
    Slots,
}

impl World {
    pub(super) fn apply(&mut self, edit: &Edit) -> Result<(), SimulatorError> {
        self.try_apply(edit).map_err(|source| SimulatorError::Edit {
            line: edit.line,
            action: edit.action.word(),
            path: edit.path.to_string(),
            at: edit.at,
            source,
        })
    }

    fn try_apply(&mut self, edit: &Edit) -> Result<(), EditProblem> {
        if self.ops.last().is_some_and(|last| last.at > edit.at) {
            return Err(EditProblem::OutOfOrder);
        }
        match edit.action {
            Action::Created => self.create_file(edit),
            Action::Modified => self.save_file(edit),
            Action::Renamed => self.rename(edit),
            Action::Deleted => self.delete(edit),
            Action::Restored => self.restore(edit),
            Action::FolderCreated => {
                let (parent, name) = self.place(edit)?;
                self.create(edit, ItemKind::Folder, parent, name).map(|_| ())
            }
        }
    }

    fn create_file(&mut self, edit: &Edit) -> Result<(), EditProblem> {
        let (parent, name) = self.place(edit)?;
        let no = self.create(edit, ItemKind::File, parent, name)?;
        self.push_save(edit, no);
        Ok(())
    }

    fn save_file(&mut self, edit: &Edit) -> Result<(), EditProblem> {
        let item = self.find(&edit.path).ok_or(EditProblem::Nothing)?;
        if item.is_folder() {
            return Err(EditProblem::NotAFile);
        }
        let no = item.no;
        self.record(edit, no, What::Saved, Carries::Nothing);
        self.push_save(edit, no);
        Ok(())
    }

    fn rename(&mut self, edit: &Edit) -> Result<(), EditProblem> {
        let from = edit.from.as_deref().ok_or(EditProblem::NoFrom)?;
        let item = self.find(from).ok_or(EditProblem::Nothing)?;
        let (no, old_name) = (item.no, Arc::clone(&item.name));
        let old_parent = item.parent.ok_or(EditProblem::BadPath)?;
        let old_path: Arc<str> = self.path_of(no).into();
        if edit
            .path
            .strip_prefix(&*old_path)
            .is_some_and(|rest| rest.starts_with('/'))
        {
            return Err(EditProblem::IntoItself);
        }
        let (parent, name) = self.place(edit)?;
        if self.child(parent, &name).is_some() {
            return Err(EditProblem::Taken);
        }
        self.folder(old_parent).live.remove(&old_name);
        self.folder(parent).live.insert(Arc::clone(&name), no);
        if let Some(item) = self.items.get_mut(no.0 as usize) {
            item.parent = Some(parent);
            item.name = name;
        }
        self.record(
            edit,
            no,
            What::Moved {
                old_parent,
                old_name,
                old_path,
            },
            Carries::Nothing,
        );
        Ok(())
    }

    fn delete(&mut self, edit: &Edit) -> Result<(), EditProblem> {
        let item = self.find(&edit.path).ok_or(EditProblem::Nothing)?;
        let (no, name) = (item.no, Arc::clone(&item.name));
        let parent = item.parent.ok_or(EditProblem::BadPath)?;
        let seq = self.record(edit, no, What::Deleted, Carries::Slots);
        let path = self.path_of(no).into();
        self.deleted_at.entry(path).or_default().push(no);
        let folder = self.folder(parent);
        folder.live.remove(&name);
        folder.gone.insert(no);
        self.set_state(no, ItemState::Deleted { at: edit.at, seq });
        Ok(())
    }

    fn restore(&mut self, edit: &Edit) -> Result<(), EditProblem> {
        let no = self
            .deleted_at(&edit.path)
            .last()
            .copied()
            .ok_or(EditProblem::NothingDeleted)?;
        let (parent, name) = self.place(edit)?;
        if self.child(parent, &name).is_some() {
            return Err(EditProblem::Taken);
        }
        if let Some(places) = self.deleted_at.get_mut(edit.path.trim_start_matches('/')) {
            places.pop();
        }
        if let Some(old) = self.item(no).and_then(|item| item.parent) {
            self.folder(old).gone.remove(&no);
        }
        self.folder(parent).live.insert(name, no);
        if let Some(item) = self.items.get_mut(no.0 as usize) {
            item.parent = Some(parent);
        }
        self.set_state(no, ItemState::Live);
        self.record(edit, no, What::Restored, Carries::Slots);
        Ok(())
    }

    /// Parent folder and name of the edit's path; missing folders are made on the way.
    fn place(&mut self, edit: &Edit) -> Result<(ItemNo, Arc<str>), EditProblem> {
        let mut names: Vec<&str> = edit.path.split('/').collect();
        if names.iter().any(|name| matches!(*name, "" | "." | "..")) {
            return Err(EditProblem::BadPath);
        }
        let last = names.pop().ok_or(EditProblem::BadPath)?;
        let mut parent = ItemNo::ROOT;
        for name in names {
            parent = match self.child(parent, name) {
                Some(child) if child.is_folder() => child.no,
                Some(_) => return Err(EditProblem::NotAFolder),
                None => self.create(edit, ItemKind::Folder, parent, name.into())?,
            };
        }
        Ok((parent, last.into()))
    }

    fn create(
        &mut self,
        edit: &Edit,
        kind: ItemKind,
        parent: ItemNo,
        name: Arc<str>,
    ) -> Result<ItemNo, EditProblem> {
        if self.child(parent, &name).is_some() {
            return Err(EditProblem::Taken);
        }
        let no = ItemNo(self.items.len() as u32);
        self.folder(parent).live.insert(Arc::clone(&name), no);
        let mut item = Item::new(no, kind, name, edit.at);
        item.parent = Some(parent);
        item.created_by = Some(Arc::clone(&edit.actor));
        self.items.push(item);
        if kind == ItemKind::Folder {
            self.folders.insert(no, Folder::default());
        }
        self.record(edit, no, What::Created, Carries::Nothing);
        Ok(no)
    }

    fn push_save(&mut self, edit: &Edit, no: ItemNo) {
        let seq = self.seq();
        let made_key = || format!("{}@{}", edit.path, edit.at).into();
        let save = Save {
            at: edit.at,
            actor: Arc::clone(&edit.actor),
            application: edit.application.clone(),
            size: edit.size.unwrap_or_default(),
            content_key: edit.content_key.clone().unwrap_or_else(made_key),
            seq,
        };
        if let Some(item) = self.items.get_mut(no.0 as usize) {
            item.saves.push(save);
        }
    }

    /// Notes the operation with the item, and with its visible descendants when it takes them along.
    fn record(&mut self, edit: &Edit, no: ItemNo, what: What, carries: Carries) -> u64 {
        let seq = self.seq() + 1;
        let takes_along = matches!(what, What::Moved { .. } | What::Deleted | What::Restored);
        let below = if takes_along {
            self.descendants(no)
        } else {
            Vec::new()
        };
        let affected: Vec<Affected> = below
            .into_iter()
            .map(|item| Affected {
                item,
                path: self.path_of(item).into(),
            })
            .collect();
        for one in &affected {
            self.note(one.item, seq, carries);
        }
        self.note(no, seq, Carries::Slots);
        if let Some(item) = self.items.get_mut(no.0 as usize) {
            self.own_slots.remove(&Slot {
                seq: item.last_seq,
                item: no,
            });
            item.last_seq = seq;
            self.own_slots.insert(Slot { seq, item: no });
        }
        let path = self.path_of(no);
        // Nearly always the edit's own path: held once however often a file is saved.
        let path = if path == *edit.path {
            Arc::clone(&edit.path)
        } else {
            path.into()
        };
        let (at, actor): (Timestamp, Arc<Actor>) = (edit.at, Arc::clone(&edit.actor));
        self.ops.push(Op {
            seq,
            at,
            actor,
            application: edit.application.clone(),
            item: no,
            what,
            path,
            affected,
        });
        seq
    }

    fn note(&mut self, no: ItemNo, seq: u64, carries: Carries) {
        if let Some(item) = self.items.get_mut(no.0 as usize) {
            item.ops.push(seq);
            if carries == Carries::Slots {
                self.tree_slots.remove(&Slot {
                    seq: item.tree_seq,
                    item: no,
                });
                item.tree_seq = seq;
                self.tree_slots.insert(Slot { seq, item: no });
            }
        }
    }

    fn set_state(&mut self, no: ItemNo, state: ItemState) {
        if let Some(item) = self.items.get_mut(no.0 as usize) {
            item.state = state;
        }
    }

    fn folder(&mut self, no: ItemNo) -> &mut Folder {
        self.folders.entry(no).or_default()
    }
}

"""The shape of poet.db, as numbered steps; a released step is never changed, only followed by another."""

import sqlite3
from collections.abc import Callable


def m001_all_records(db: sqlite3.Connection) -> None:
    """A table for every record; `seq` keeps the order in which rows came."""
    db.executescript(
        """
        CREATE TABLE poems (seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, text TEXT NOT NULL, title TEXT NOT NULL,
            author TEXT NOT NULL, language TEXT NOT NULL, form TEXT NOT NULL, theme TEXT NOT NULL, tags TEXT NOT NULL,
            source TEXT NOT NULL, licence TEXT NOT NULL, origin TEXT NOT NULL, parent TEXT NOT NULL);
        CREATE TABLE prompts (seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, theme TEXT NOT NULL,
            template TEXT NOT NULL, system TEXT NOT NULL, opening TEXT NOT NULL, held_out INTEGER NOT NULL);
        CREATE TABLE examples (seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, conversation TEXT NOT NULL,
            completion TEXT NOT NULL, split TEXT NOT NULL, poem TEXT NOT NULL, prompt TEXT NOT NULL,
            plain INTEGER NOT NULL, rejected TEXT NOT NULL, liked TEXT NOT NULL);
        CREATE TABLE datasets (seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, examples TEXT NOT NULL,
            settings TEXT NOT NULL, round INTEGER NOT NULL);
        CREATE TABLE runs (seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, stage TEXT NOT NULL, engine TEXT NOT NULL,
            seed INTEGER NOT NULL, recipe TEXT NOT NULL, dataset TEXT NOT NULL, parent TEXT NOT NULL,
            round INTEGER NOT NULL);
        CREATE TABLE models (seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, engine TEXT NOT NULL,
            base TEXT NOT NULL, adapter TEXT NOT NULL, name TEXT NOT NULL, run TEXT NOT NULL, parent TEXT NOT NULL,
            step INTEGER NOT NULL, round INTEGER NOT NULL, train_loss REAL, validation_loss REAL,
            mix TEXT NOT NULL);
        CREATE INDEX models_run ON models (run, step);
        CREATE TABLE candidates (seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, model TEXT NOT NULL,
            prompt TEXT NOT NULL, sampling TEXT NOT NULL, seed INTEGER NOT NULL, text TEXT NOT NULL,
            title TEXT NOT NULL, stop TEXT NOT NULL, tokens INTEGER NOT NULL, round INTEGER NOT NULL,
            gate TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '');
        CREATE INDEX candidates_round ON candidates (round);
        CREATE TABLE verdicts (seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, contest TEXT NOT NULL,
            judge TEXT NOT NULL, rubric TEXT NOT NULL, shown TEXT NOT NULL, ranking TEXT NOT NULL, status TEXT NOT NULL,
            raw TEXT NOT NULL, reason TEXT NOT NULL, stage TEXT NOT NULL, round INTEGER NOT NULL);
        CREATE INDEX verdicts_contest ON verdicts (contest);
        CREATE TABLE calls (seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, contest TEXT NOT NULL,
            model TEXT NOT NULL, state TEXT NOT NULL, prompt_tokens INTEGER NOT NULL,
            completion_tokens INTEGER NOT NULL, money REAL NOT NULL);
        CREATE INDEX calls_contest ON calls (contest);
        CREATE TABLE reviews (seq INTEGER PRIMARY KEY, token TEXT UNIQUE NOT NULL, candidate TEXT NOT NULL,
            action TEXT NOT NULL, reviewer TEXT NOT NULL, title TEXT, body TEXT, note TEXT NOT NULL,
            cancels TEXT NOT NULL, at TEXT NOT NULL, reasons TEXT NOT NULL, rubric TEXT NOT NULL, scores TEXT NOT NULL,
            drawn TEXT NOT NULL);
        CREATE TABLE votes (seq INTEGER PRIMARY KEY, token TEXT UNIQUE NOT NULL, "left" TEXT NOT NULL,
            "right" TEXT NOT NULL, action TEXT NOT NULL, reviewer TEXT NOT NULL, note TEXT NOT NULL,
            cancels TEXT NOT NULL, at TEXT NOT NULL);
        CREATE TABLE rounds (seq INTEGER PRIMARY KEY, number INTEGER UNIQUE NOT NULL, poems INTEGER NOT NULL,
            accepted TEXT NOT NULL, guards TEXT NOT NULL, opened TEXT NOT NULL, closed TEXT NOT NULL,
            weights TEXT NOT NULL, overruled TEXT NOT NULL);
        CREATE TABLE bundles (seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, path TEXT NOT NULL,
            model TEXT NOT NULL, files TEXT NOT NULL);
        CREATE TABLE losses (seq INTEGER PRIMARY KEY, run TEXT NOT NULL, step INTEGER NOT NULL, kind TEXT NOT NULL,
            loss REAL NOT NULL, rate REAL NOT NULL, UNIQUE (run, step, kind));
        CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL);
        CREATE TRIGGER reviews_only_grow BEFORE UPDATE ON reviews
            BEGIN SELECT RAISE(ABORT, 'reviews are only ever added'); END;
        CREATE TRIGGER reviews_stay BEFORE DELETE ON reviews
            BEGIN SELECT RAISE(ABORT, 'reviews are only ever added'); END;
        CREATE TRIGGER votes_only_grow BEFORE UPDATE ON votes
            BEGIN SELECT RAISE(ABORT, 'votes are only ever added'); END;
        CREATE TRIGGER votes_stay BEFORE DELETE ON votes
            BEGIN SELECT RAISE(ABORT, 'votes are only ever added'); END;
        """
    )


def m002_gradient_norms(db: sqlite3.Connection) -> None:
    """The largest gradient norm since the last report, beside the loss; 0 where it was not measured."""
    db.executescript("ALTER TABLE losses ADD COLUMN gradient_norm REAL NOT NULL DEFAULT 0;")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (m001_all_records, m002_gradient_norms)

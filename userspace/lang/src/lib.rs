// SPDX-License-Identifier: GPL-2.0
//! Compiler of the datapath-program language: source text in, the wire form of
//! a program out. `docs/language.md` is the language's definition.

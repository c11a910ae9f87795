// SPDX-License-Identifier: GPL-2.0

//! Memory of flows: a slab cache of their very size, as the general ones would
//! round it up by a third.

use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::{
        Deref,
        DerefMut, //
    },
    ptr::NonNull,
};

use kernel::{
    error::to_result,
    prelude::*, //
};

use super::ffi::*;

/// The cache, for objects of type `T`. There must be at most one at a time.
pub(crate) struct FlowCache<T>(PhantomData<T>);

impl<T> FlowCache<T> {
    /// Makes it.
    pub(crate) fn create() -> Result<Self> {
        // SAFETY: Called from module initialisation, once.
        to_result(unsafe { ccp_flow_cache_create(size_of::<T>(), align_of::<T>()) })?;
        Ok(FlowCache(PhantomData))
    }
}

impl<T> Drop for FlowCache<T> {
    fn drop(&mut self) {
        // SAFETY: Made by `create`; flows keep the module loaded, so none is
        // left.
        unsafe { ccp_flow_cache_destroy() };
    }
}

/// Owns a `T` in the cache.
pub(crate) struct FlowBox<T> {
    // INVARIANT: From `ccp_flow_alloc`, initialised, and nobody else's.
    raw: NonNull<T>,
}

impl<T> FlowBox<T> {
    /// Moves `value` there. Any context; `None` without memory.
    ///
    /// # Safety
    ///
    /// The cache must exist, and be one of `T`.
    pub(crate) unsafe fn new(value: T) -> Option<FlowBox<T>> {
        // SAFETY: The caller's promise.
        let raw = NonNull::new(unsafe { ccp_flow_alloc() })?.cast::<T>();
        // SAFETY: Fresh memory of the size and alignment of `T`.
        unsafe { raw.as_ptr().write(value) };
        // INVARIANT: Just allocated and initialised.
        Some(FlowBox { raw })
    }

    /// Gives up ownership.
    pub(crate) fn into_raw(self) -> NonNull<T> {
        ManuallyDrop::new(self).raw
    }

    /// Undoes [`FlowBox::into_raw`].
    ///
    /// # Safety
    ///
    /// `raw` must come from there, and not be used any more.
    pub(crate) unsafe fn from_raw(raw: NonNull<T>) -> FlowBox<T> {
        // INVARIANT: The caller's promise.
        FlowBox { raw }
    }
}

impl<T> Deref for FlowBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: A live object by the invariant.
        unsafe { self.raw.as_ref() }
    }
}

impl<T> DerefMut for FlowBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: A live object that is ours alone, by the invariant.
        unsafe { self.raw.as_mut() }
    }
}

impl<T> Drop for FlowBox<T> {
    fn drop(&mut self) {
        // SAFETY: Initialised and ours by the invariant; not used afterwards.
        unsafe {
            core::ptr::drop_in_place(self.raw.as_ptr());
            ccp_flow_free(self.raw.as_ptr().cast());
        }
    }
}

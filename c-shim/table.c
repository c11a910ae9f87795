// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of objects by id: flows, agents, programs of a network namespace.
 */

#include <linux/slab.h>

#include "shim.h"
#include "table.h"

void ccp_table_init(struct ccp_table *table)
{
	xa_init_flags(&table->objects, XA_FLAGS_LOCK_BH | XA_FLAGS_ACCOUNT);
	table->count = 0;
}

void ccp_table_destroy(struct ccp_table *table)
{
	xa_destroy(&table->objects);
}

/**
 * ccp_table_insert() - put an object at an id, which must be free
 * @table: the table
 * @id: the id, that of no other object here
 * @object: a pointer, aligned to 4 bytes
 *
 * Any context but hard interrupts; never sleeps.
 *
 * Return: 0, -EBUSY when the id is taken, or -ENOMEM.
 */
int ccp_table_insert(struct ccp_table *table, u64 id, void *object)
{
	int err;

	xa_lock_bh(&table->objects);
	err = __xa_insert(&table->objects, id, object, GFP_ATOMIC | __GFP_NOWARN);
	if (!err)
		WRITE_ONCE(table->count, table->count + 1);
	xa_unlock_bh(&table->objects);
	return err;
}

/**
 * ccp_table_remove() - take out the object at an id
 * @table: the table
 * @id: the id
 *
 * Return: the object, or NULL when there was none.
 */
void *ccp_table_remove(struct ccp_table *table, u64 id)
{
	void *object;

	xa_lock_bh(&table->objects);
	object = __xa_erase(&table->objects, id);
	if (object)
		WRITE_ONCE(table->count, table->count - 1);
	xa_unlock_bh(&table->objects);
	return object;
}

/**
 * ccp_table_lock() - keep objects from leaving the table
 * @table: the table
 */
void ccp_table_lock(struct ccp_table *table) __acquires(&table->objects.xa_lock)
{
	xa_lock_bh(&table->objects);
}

/**
 * ccp_table_unlock() - undo ccp_table_lock()
 * @table: the table
 */
void ccp_table_unlock(struct ccp_table *table) __releases(&table->objects.xa_lock)
{
	xa_unlock_bh(&table->objects);
}

/**
 * ccp_table_load() - the object at an id
 * @table: the table, locked
 * @id: the id
 *
 * Return: the object or NULL.
 */
void *ccp_table_load(struct ccp_table *table, u64 id)
{
	return xa_load(&table->objects, id);
}

/**
 * ccp_table_next() - the object with the smallest id from *@id on
 * @table: the table, locked
 * @id: where to start; on success the id found
 *
 * Return: the object, or NULL when there is none.
 */
void *ccp_table_next(struct ccp_table *table, u64 *id)
{
	unsigned long index = *id;
	void *object;

	object = xa_find(&table->objects, &index, ULONG_MAX, XA_PRESENT);
	if (object)
		*id = index;
	return object;
}

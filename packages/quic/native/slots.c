/*
 * A table from handles to things.
 *
 * T1. A handle is generation * 2^20 + slot. The generation rises each time a slot is given out and never wraps below 2^53, the largest whole
 *     number JavaScript counts exactly: a handle is never given out twice.
 * T2. Every number JavaScript can pass, NaN and negative ones included, gives either the thing it names or NULL.
 * T3. A table has at most SLOTS_MAX things; adding one more gives 0, which is no handle.
 */
#include "quic.h"

#include <stdlib.h>

#define NO_SLOT UINT32_MAX
#define GENERATION_MAX (((uint64_t)1 << 33) - 1)

static bool table_grow(struct table *table) {
  uint32_t capacity = table->capacity == 0 ? 16 : table->capacity * 2;
  if (capacity > SLOTS_MAX) return false;
  struct slot *slots = realloc(table->slots, capacity * sizeof *slots);
  if (slots == NULL) return false;
  table->slots = slots;
  table->capacity = capacity;
  return true;
}

static uint32_t take_slot(struct table *table) {
  if (table->used < table->length) {
    uint32_t index = table->free_head;
    table->free_head = table->slots[index].next_free;
    return index;
  }
  if (table->length == table->capacity && !table_grow(table)) return NO_SLOT;
  table->slots[table->length].generation = 0;
  return table->length++;
}

double table_add(struct table *table, void *item) {
  uint32_t index = take_slot(table);
  if (index == NO_SLOT) return 0;
  struct slot *slot = &table->slots[index];
  if (slot->generation == GENERATION_MAX) abort();
  slot->generation += 1;
  slot->item = item;
  table->used += 1;
  return (double)(slot->generation * SLOTS_MAX + index);
}

static struct slot *slot_of(const struct table *table, double handle) {
  if (!(handle >= 1 && handle <= 9007199254740991.0)) return NULL;
  uint64_t whole = (uint64_t)handle;
  uint32_t index = (uint32_t)(whole % SLOTS_MAX);
  if (index >= table->length) return NULL;
  struct slot *slot = &table->slots[index];
  return slot->item != NULL && slot->generation == whole / SLOTS_MAX ? slot : NULL;
}

void *table_get(const struct table *table, double handle) {
  const struct slot *slot = slot_of(table, handle);
  return slot == NULL ? NULL : slot->item;
}

void table_remove(struct table *table, double handle) {
  struct slot *slot = slot_of(table, handle);
  if (slot == NULL) return;
  slot->item = NULL;
  table->used -= 1;
  slot->next_free = table->free_head;
  table->free_head = (uint32_t)((uint64_t)handle % SLOTS_MAX);
}

void table_free(struct table *table) {
  free(table->slots);
  *table = (struct table){0};
}

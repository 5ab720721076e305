/*
 * A lease with a fence (docs/spec/coordination.md): an engine that grants it under a growing epoch and takes it back when it has expired, two
 * nodes whose clocks may be wrong by any amount, and a resource that checks the epoch.
 *
 * L1. The engine has one holder per epoch.
 * L2. Epochs of grants strictly increase, also when the engine starts again.
 * L3. The epochs the resource accepts never decrease, although both nodes may believe that they hold the lease.
 *
 * Planted: -DNO_FENCE (the resource does not look), -DEPOCH_FORGOTTEN (the engine starts again with the first epoch).
 */
#ifndef GRANTS
#define GRANTS 4
#endif

#define NOBODY 2

byte epoch = 0;          /* of the last grant */
byte holder = NOBODY;    /* as the engine has it */
byte believed[2];        /* the epoch each node thinks it holds the lease under; 0: none */
byte grantedTo[GRANTS + 1];
byte highestGrant = 0;
byte accepted = 0;       /* the highest epoch the resource accepted */

active [2] proctype Node() {
  byte me = _pid;
end:
  do
  :: atomic {
       holder == NOBODY && epoch < GRANTS ->
       epoch++;
       assert(grantedTo[epoch] == 0);
       assert(epoch > highestGrant);
       grantedTo[epoch] = me + 1;
       highestGrant = epoch;
       holder = me;
       if
       :: believed[me] = epoch
       :: skip             /* the answer was lost: it holds the lease and does not know */
       fi
     }
  :: atomic { holder == me && believed[me] == epoch -> holder = NOBODY; believed[me] = 0 }  /* given back */
  :: believed[me] != 0 -> believed[me] = 0                                                  /* crashed, or its clock says it is over */
  :: atomic {
       believed[me] != 0 ->
       if
#ifdef NO_FENCE
       :: true ->
#else
       :: believed[me] >= accepted ->
#endif
          assert(believed[me] >= accepted);
          assert(grantedTo[believed[me]] == me + 1);
          accepted = believed[me]
       :: else -> believed[me] = 0   /* refused */
       fi
     }
  od
}

/* The lease expires by the engine's clock at any time, whatever the holder's clock says. */
active proctype Engine() {
  byte restarts = 0;
end:
  do
  :: atomic { holder != NOBODY -> holder = NOBODY }
  :: restarts < 1 -> atomic {
       restarts++;
       holder = NOBODY;
#ifdef EPOCH_FORGOTTEN
       epoch = 0
#endif
     }
  od
}

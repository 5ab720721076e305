/*
 * The hand-off of one agent from node A to node B (docs/spec/migration.md), with a registry whose compare-and-swap is atomic, messages that may
 * be lost or doubled, answers of the registry that may be lost, and a crash of either node at any step, at most CRASHES in all.
 *
 * H1. An accepted effect was made under the registry's epoch by the registry's owner, on a state that has every effect before it: none lost,
 *     none applied twice.
 * H2. Two nodes never run the agent under one epoch.
 * H3. The protocol never gets stuck: at the end the owner runs the agent.
 *
 * Planted: -DRESUME_ON_TIMEOUT (the source goes on by itself when it does not know), -DPUBLISH_BEFORE_STAGE (the swap before the
 * destination has the state), -DSESSION_SURVIVES (a copy sent before the destination crashed is staged after it, and taken for the newest).
 */
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef EFFECTS
#define EFFECTS 3
#endif
#ifndef MOVES
#define MOVES 2
#endif

#define A 0
#define B 1
#define NONE 0

byte epoch = 1;         /* of the registry */
byte owner = A;
byte journal = 0;       /* effects accepted, in the shared log behind the fence */
byte runs[2];           /* the epoch each node runs the agent under; NONE: it does not */
byte state[2];          /* effects each node's copy has */
byte crashes = 0;

chan toB = [2] of { byte, byte };  /* state as of a freeze: its epoch, its effects */
chan toA = [2] of { byte };        /* staged: the epoch */

inline put_state(e, s) {
  if
  :: nfull(toB) -> toB!e, s
  :: nfull(toB) -> toB!e, s; if :: nfull(toB) -> toB!e, s :: full(toB) -> skip fi
  :: skip
  fi
}

inline put_staged(e) {
  if
  :: nfull(toA) -> toA!e
  :: nfull(toA) -> toA!e; if :: nfull(toA) -> toA!e :: full(toA) -> skip fi
  :: skip
  fi
}

/* A crash ends the session, and what was under way on it never arrives: messages of a move are of one session. */
inline session_ends() {
#ifndef SESSION_SURVIVES
  do
  :: nempty(toB) -> toB?_, _
  :: empty(toB) -> break
  od;
#endif
  skip
}

/* The fence: one accepted writer per epoch. */
inline effect(me) {
  atomic {
    if
    :: runs[me] == epoch && owner == me ->
       assert(state[me] == journal);
       journal++;
       state[me] = journal
    :: else -> runs[me] = NONE     /* refused: this node is not the owner any more */
    fi
  }
}

/* Take the agent up from the log: a new epoch, everything in it. */
inline recover(me) {
  atomic {
    if
    :: owner == me -> epoch++; runs[me] = epoch; state[me] = journal
    :: else -> runs[me] = NONE
    fi
  }
}

proctype Source() {
  byte mine, moves = 0, e;
  bool committed;
running:
  if
  :: runs[A] != NONE && journal < EFFECTS -> effect(A); goto running
  :: runs[A] != NONE && moves < MOVES -> moves++; goto freeze
  :: runs[A] != NONE && crashes < CRASHES -> atomic { crashes++; runs[A] = NONE }; goto restart
  :: runs[A] != NONE && journal == EFFECTS && moves == MOVES -> goto done
  :: runs[A] == NONE -> goto restart
  fi;
freeze:
  mine = runs[A];
  runs[A] = NONE;
  put_state(mine, state[A]);
wait:
  if
#ifdef PUBLISH_BEFORE_STAGE
  :: true -> goto commit
#else
  :: toA?e -> if :: e == mine -> goto commit :: else -> goto wait fi
#endif
  :: goto abort                         /* the deadline of the move */
  :: crashes < CRASHES -> crashes++; goto restart
  fi;
commit:
  atomic {
    committed = false;
    if
    :: epoch == mine && owner == A -> epoch++; owner = B; committed = true
    :: else -> skip
    fi
  };
  if
  :: committed -> goto done             /* the answer arrived */
  :: !committed -> goto restart         /* it said no: ask who owns it */
  :: goto unknown                       /* the answer was lost */
  :: crashes < CRASHES -> crashes++; goto restart
  fi;
abort:
#ifdef RESUME_ON_TIMEOUT
  goto unknown;
#endif
  /* Giving up is a swap as well: A to A under a new epoch. */
  atomic {
    if
    :: epoch == mine && owner == A -> epoch++; runs[A] = epoch; goto running
    :: else -> goto restart
    fi
  };
unknown:
#ifdef RESUME_ON_TIMEOUT
  runs[A] = mine;
  goto running;
#endif
restart:
  if
  :: owner == A -> recover(A); goto running
  :: owner != A -> goto done
  fi;
done:
  skip
}

proctype Destination() {
  byte e, s, stagedEpoch = NONE, stagedState = 0;
loop:
  if
  :: toB?e, s -> stagedEpoch = e; stagedState = s; put_staged(e); goto loop
  :: runs[B] == NONE && owner == B && stagedEpoch != NONE && epoch == stagedEpoch + 1 ->
     atomic {
       if
       :: owner == B && epoch == stagedEpoch + 1 -> runs[B] = epoch; state[B] = stagedState
       :: else -> skip
       fi
     };
     goto loop
#ifndef PUBLISH_BEFORE_STAGE
  :: runs[B] == NONE && owner == B && (stagedEpoch == NONE || epoch != stagedEpoch + 1) -> recover(B); goto loop
#else
  :: runs[B] == NONE && owner == B && stagedEpoch == NONE -> runs[B] = epoch; goto loop
#endif
  :: runs[B] != NONE && journal < EFFECTS -> effect(B); goto loop
  :: crashes < CRASHES -> atomic { crashes++; runs[B] = NONE; stagedEpoch = NONE; session_ends() }; goto loop
  :: timeout -> skip
  fi
}

/* H2 at every step, H3 at the end. */
active proctype Watch() {
  do
  :: atomic { runs[A] != NONE && runs[A] == runs[B] -> assert(false) }
  :: timeout -> break
  od;
  assert(runs[owner] == epoch)
}

init {
  atomic { runs[A] = 1; run Source(); run Destination() }
}

/*
 * Suspicion and refutation of one running member S (docs/spec/membership.md): two others accuse it, gossip is lost and doubled, and both
 * exchange tables again and again as long as they differ.
 *
 * R1. Nobody ever has a higher incarnation of S than S itself.
 * R2. In every view the incarnation never decreases.
 * R3. When nothing is under way any more and nobody accuses, S is alive in all views.
 *
 * Planted: -DREFUTE_SAME (S answers without raising its incarnation), -DNOT_TOLD (an accused member is told by
 * gossip only).
 */
#ifndef ACCUSATIONS
#define ACCUSATIONS 2
#endif
#define VIEWERS 2

mtype = { alive, suspect, dead };

byte own = 0;                       /* S's incarnation */
mtype seen[VIEWERS];
byte incarnation[VIEWERS];
byte accusations = 0;

chan toS = [2] of { mtype, byte };
chan to0 = [2] of { mtype, byte };
chan to1 = [2] of { mtype, byte };

/* Gossip: it may be lost, and it may arrive twice. */
inline gossip(where, what, inc) {
  if
  :: nfull(where) -> where!what, inc
  :: nfull(where) -> where!what, inc; if :: nfull(where) -> where!what, inc :: full(where) -> skip fi
  :: skip
  fi
}

/* What a viewer does with a statement about S. */
inline hear(me, what, inc) {
  if
  :: what == alive && inc > incarnation[me] ->
     assert(inc >= incarnation[me]);
     incarnation[me] = inc;
     seen[me] = alive
  :: what == suspect && inc == incarnation[me] && seen[me] == alive -> seen[me] = suspect
  :: what == dead && inc == incarnation[me] && seen[me] != dead -> seen[me] = dead
  :: else -> skip
  fi;
  assert(incarnation[me] <= own)
}

proctype Viewer(byte me; chan mine; chan other) {
  mtype what;
  byte inc;
end:
  do
  :: atomic { mine??what, inc -> hear(me, what, inc) }
  :: atomic {
       accusations < ACCUSATIONS && seen[me] == alive ->
       accusations++;
       seen[me] = suspect;
       gossip(other, suspect, incarnation[me]);
       gossip(toS, suspect, incarnation[me])
     }
  :: atomic {
       seen[me] == suspect && accusations > 0 ->   /* the time to refute is over */
       seen[me] = dead;
       gossip(other, dead, incarnation[me]);
       gossip(toS, dead, incarnation[me])
     }
#ifndef NOT_TOLD
  :: atomic {
       seen[me] != alive && empty(mine) && empty(toS) -> toS!seen[me], incarnation[me]   /* anti-entropy: whoever is accused is told */
     }
#endif
  od
}

proctype Subject() {
  mtype what;
  byte inc;
end:
  do
  :: atomic {
       toS??what, inc ->
       if
       :: what != alive && inc == own ->
#ifndef REFUTE_SAME
          own++
#endif
       :: else -> skip
       fi;
       /* It answers whoever accuses it, and tables are exchanged until they agree: this one arrives. */
       if :: nfull(to0) -> to0!alive, own :: full(to0) -> skip fi;
       if :: nfull(to1) -> to1!alive, own :: full(to1) -> skip fi
     }
  od
}

init {
  atomic {
    seen[0] = alive;
    seen[1] = alive;
    run Subject();
    run Viewer(0, to0, to1);
    run Viewer(1, to1, to0)
  };
  /* R3 where nothing can happen any more; where things go on for ever it is the formula below. */
end:
  timeout -> assert(seen[0] == alive && seen[1] == alive)
}

/* R3: accusations are finite, so from some moment on S is alive everywhere. */
ltl settles { <> [] (seen[0] == alive && seen[1] == alive) }

/*
 * Command sessions: a device and a gateway agree on a command by three messages, over a network that loses, doubles,
 * delays and reorders, while either side crashes at any step. README.md beside this file says what is checked.
 *
 *     Gateway                                             Device
 *     storingGSID          GSID (Z) E, stage offered
 *     sendingMessage1      -- [command, Z, 5] -------->   storingIdentifiers   GSID (Z) E, DSID (2) 5
 *                          <------------------ 2.04 --    awaitingMessage3
 *     readingMessage2      <----- [command, Z, 2] -----
 *     storingDSID          GSID Z, DSID (2) 5, stage confirmed
 *     sendingMessage3      -- [command, Z, 2] -------->   storingExecution     GSID Z, DSID 2, last (Z, 2, executing)
 *                                                         executing            once
 *                                                         storingOutcome       last (Z, 2, done)
 *     finished             <------------------ 2.04 --    idle
 *
 * Switches:
 *     SHORT       the short form: no GSID, and message 1 is the command alone
 *     DISTINCT    the commands differ; without it they have the same bytes, so that only identifiers tell them apart
 *     QUIET       what is left in the network when a session begins is bounded as the gateway's quiet time bounds it
 *     CALM        at some moment faults stop for good; from then on sessions have to succeed (needs QUIET)
 *     UNREADY     a command may turn out not to be possible now, and that it did not begin may not get stored
 *     ATTACKER    somebody with a connection of its own replays, reflects, swaps identifiers and alters commands
 *     BROKEN=n    a seeded fault of the protocol, which has to be found: search for broken(n)
 */

#ifndef COMMANDS
#define COMMANDS 2              /* commands that the gateway has to bring to an end */
#endif
#ifndef SESSIONS
#define SESSIONS 3              /* sessions that it may begin for them, all together */
#endif
#ifndef IDENTIFIERS
#define IDENTIFIERS 4           /* DSIDs that the device may make */
#endif
#ifndef COPIES
#define COPIES 2                /* requests in the network at once */
#endif
#ifndef DEVICE_CRASHES
#define DEVICE_CRASHES 1
#endif
#ifndef GATEWAY_CRASHES
#define GATEWAY_CRASHES 1
#endif
#ifndef ATTACKS
#define ATTACKS 2               /* messages of the attacker */
#endif
#ifndef BROKEN
#define BROKEN 0
#endif
#define broken(n) (BROKEN == n)

mtype = {
    /* States. `executing` is the outcome of the last session as well, while its command runs. */
    idle, storingIdentifiers, awaitingMessage3, storingExecution, executing, storingOutcome,
    storingGSID, sendingMessage1, readingMessage2, storingDSID, sendingMessage3,
    sendingOutcomeQuery, readingOutcome, finished,
    /* Requests, by the resource that they write or read; a message 2 that somebody writes to resource Message 3. */
    message1, message2, message3, outcomeQuery, outcomeRead, reflected,
    /* Answers: 2.04, 2.05, 4.03, 4.04, 4.09, 5.00 and 5.03. */
    changed, content, forbidden, notFound, conflict, internalServerError, serviceUnavailable,
    /* Outcomes. A command that ended with an error code of its own is done, too. */
    done, doneWithError, notDone, unknown,
    /* Stages of the gateway. */
    offered, confirmed
}
#define none 0

/* Identifiers are fresh and never equal by chance. 0 is nil. The GSID of session n is n; DSIDs count on from there. */
#define FIRST_DSID (SESSIONS + 4)
#define LAST_DSID (FIRST_DSID + IDENTIFIERS - 1)
#ifdef SHORT
#define newGSID 0
#else
#define newGSID session
#endif

typedef IdentifierCache { byte established; byte provisional }
typedef SessionOutcome { byte gsid; byte dsid; mtype outcome }

typedef DeviceSessionRecord {
    IdentifierCache gsid;
    IdentifierCache dsid;
    SessionOutcome last;            /* the session whose message 3 was accepted last */
    SessionOutcome superseded       /* the session before the newest one, only to tell late messages from wrong ones */
}

typedef GatewaySessionRecord {
    IdentifierCache gsid;
    IdentifierCache dsid;
    mtype stage
}

inline copyCache(from, to) { to.established = from.established; to.provisional = from.provisional }
inline copyOutcome(from, to) { to.gsid = from.gsid; to.dsid = from.dsid; to.outcome = from.outcome }

/* Stable storage: written at once or not at all, and all that a crash leaves. */
DeviceSessionRecord deviceStored;
GatewaySessionRecord gatewayStored;
byte command = 1;                       /* the command that the gateway is busy with */
byte session = 0;                       /* the gateway's newest session: where its fresh GSIDs come from */
byte nextDSID = FIRST_DSID;

/* The network. A request carries the number of the gateway's session, which stands for its CoAP token: an answer to an
   older request reaches nobody. A request has session, resource, command, GSID and DSID. */
#ifdef CALM
#define SPARE 1                 /* once faults have stopped there is room for every message */
#else
#define SPARE 0
#endif
chan toDevice = [COPIES + SPARE] of { byte, mtype, byte, byte, byte };
chan toGateway = [1 + 3 * SPARE] of { mtype /* request */, mtype /* code */, byte, byte, byte, mtype };
#define hasRoomToDevice (len(toDevice) < COPIES || (!faulty && len(toDevice) < COPIES + SPARE))
#define hasRoomToGateway (len(toGateway) == 0 || (!faulty && len(toGateway) < 1 + 3 * SPARE))

/* What the checks know, and the protocol does not. */
#define ALTERED (COMMANDS + 1)          /* a command that nobody asked for */
byte executions[COMMANDS + 2];          /* how often each command was executed */
bool crashedWhileExecuting = false;     /* the newest session's command; or what became of it could not be stored */
SessionOutcome given;                   /* the identifiers in the message 2 of the session in progress, once given */
byte givenCommand = 0;                  /* its command */

#ifdef DISTINCT
#define sameCommand(a, b) ((a) == (b))
#else
#define sameCommand(a, b) (((a) == ALTERED) == ((b) == ALTERED))
#endif

#ifdef CALM
bool calm = false;
byte sessionsSinceCalm = 0;             /* begun for the command that the gateway is busy with */
#define faulty (!calm)
#else
#define faulty true
#endif

/* (f) Under faults alone nothing is judged a breach. Without the quiet time, or with an attacker, it may be. */
#if defined(QUIET) && !defined(ATTACKER)
#define breach() assert(false)
#else
#define breach() skip
#endif

/* ------------------------------------------------------------------------------------------------------ Device */

mtype device = idle;
DeviceSessionRecord record;             /* in memory; equal to what is stored unless it is on its way there */
byte sessionCommand;                    /* the command of the session in progress */
byte answerTo;                          /* the request that is answered when storing or executing has ended */
SessionOutcome answered;                /* resource Outcome: the answer to the last outcome query, and whose it is */
byte deviceCrashes = 0;
#ifdef UNREADY
bool isUnbegun = false;                 /* while storing that the command did not begin: */
DeviceSessionRecord before;             /* the record before message 3; then the one that is stored meanwhile */
#define isExecutingUnbegun (isUnbegun && gsid == before.last.gsid && dsid == before.last.dsid && !broken(16))
#define isOver (device == idle || (isUnbegun && broken(16)))
#else
#define isUnbegun false
#define isExecutingUnbegun false
#define isOver (device == idle)
#endif

#define isExecuting (device == storingExecution || device == executing || device == storingOutcome)
#define isBusy (device == storingIdentifiers || isExecuting)
#define isPair(it) (it.dsid != 0 && gsid == it.gsid && dsid == it.dsid)
#define isProvisionalPair (dsid != 0 && dsid == record.dsid.provisional && gsid == record.gsid.provisional)

#define isRepeatOfMessage1 ((device == storingIdentifiers || device == awaitingMessage3) \
    && gsid == record.gsid.provisional && isRightDSID && sameCommand(sent, sessionCommand))

#ifdef SHORT
#define isKnownGSID false
#define isRightDSID true
#define isHalfOfSession (dsid == record.dsid.provisional)
#else
#define isKnownGSID ((gsid == record.gsid.established && !broken(12)) || gsid == record.superseded.gsid \
    || (gsid == record.gsid.provisional && !broken(10)))
#define isRightDSID (dsid == record.dsid.established || (broken(7) && dsid == record.dsid.provisional))
#define isHalfOfSession (gsid == record.gsid.provisional || dsid == record.dsid.provisional)
#endif

/* Nothing tells a second copy of the short form's message 1 from a new one: there is (f) only where CoAP's message
   deduplication keeps it away. */
#if defined(ATTACKER) || defined(SHORT) && defined(QUIET)
#define mayBeDoubled false
#else
#define mayBeDoubled faulty
#endif

/* An answer to an older request reaches nobody, and one that finds no room is lost. */
inline answer(number, resource, code, its, itsGSID, itsDSID, itsOutcome) {
    if
    :: number == session && hasRoomToGateway -> toGateway!resource, code, its, itsGSID, itsDSID, itsOutcome
    :: number != session || !hasRoomToGateway -> skip
    fi
}

/* The code that answers message 3 of a session that ended so. */
inline codeOf(how) {
    if
    :: how == done -> code = changed
    :: how == doneWithError || how == notDone -> code = conflict
    :: how == unknown -> code = internalServerError
    fi
}

inline copyDeviceRecord(from, to) {
    copyCache(from.gsid, to.gsid);
    copyCache(from.dsid, to.dsid);
    copyOutcome(from.last, to.last);
    copyOutcome(from.superseded, to.superseded)
}

#ifdef UNREADY
inline forgetUnbegun() {
    isUnbegun = false;
    before.gsid.established = 0; before.gsid.provisional = 0; before.dsid.established = 0; before.dsid.provisional = 0;
    before.last.gsid = 0; before.last.dsid = 0; before.last.outcome = none;
    before.superseded.gsid = 0; before.superseded.dsid = 0; before.superseded.outcome = none
}
#else
inline forgetUnbegun() { skip }
#endif

inline forgetGiven() { given.gsid = 0; given.dsid = 0; givenCommand = 0 }

inline endSession() { device = idle; sessionCommand = 0; answerTo = 0; forgetGiven() }

inline beginSession() {
    /* (e) One slot for each: what is established belongs to the session whose message 3 was accepted last. */
    assert(broken(3) || broken(7)
        || (record.gsid.established == record.last.gsid && record.dsid.established == record.last.dsid));
    /* The session before this one: it was never confirmed, or it is the last one. */
    if
    :: record.dsid.provisional != 0 ->
        record.superseded.gsid = record.gsid.provisional;
        record.superseded.dsid = record.dsid.provisional;
        record.superseded.outcome = notDone;
        if
        :: broken(7) && dsid == record.dsid.provisional ->
            record.gsid.established = record.gsid.provisional;
            record.dsid.established = record.dsid.provisional
        :: else -> skip
        fi
    :: record.dsid.provisional == 0 && !broken(11) -> copyOutcome(record.last, record.superseded)
    :: record.dsid.provisional == 0 && broken(11) -> skip
    fi;
    if
    :: broken(3) -> record.dsid.established = 0
    :: else -> skip
    fi;
    record.gsid.provisional = gsid;
    record.dsid.provisional = nextDSID;
    nextDSID++;
    forgetGiven();
    sessionCommand = sent;
    answerTo = number;
    device = storingIdentifiers
}

inline receiveMessage1() {
    if
    :: isRepeatOfMessage1 && device == awaitingMessage3 -> code = changed
    :: isRepeatOfMessage1 && device != awaitingMessage3 -> skip     /* answered when the first is */
    :: !isRepeatOfMessage1 && isBusy -> code = serviceUnavailable
    :: !isRepeatOfMessage1 && !isBusy ->
        if
        :: isKnownGSID -> code = conflict        /* late */
        :: !isKnownGSID && !isRightDSID -> breach(); code = forbidden
        :: !isKnownGSID && isRightDSID && nextDSID > LAST_DSID -> skip      /* the bound of this model: lost */
        :: !isKnownGSID && isRightDSID && nextDSID <= LAST_DSID -> beginSession()
        fi
    fi
}

inline giveMessage2() {
    if
    :: device == awaitingMessage3 ->
        given.gsid = record.gsid.provisional;
        given.dsid = record.dsid.provisional;
        givenCommand = sessionCommand;
        code = content;
        echoed = givenCommand;
        gsid = given.gsid;
        dsid = given.dsid
    :: device != awaitingMessage3 -> code = notFound
    fi
}

#define isEcho (isProvisionalPair && (sameCommand(sent, sessionCommand) || broken(4)))

inline receiveMessage3() {
    if
    :: isBusy -> code = serviceUnavailable
    :: device == awaitingMessage3 && isEcho ->
        /* (b) The echo is complete: this message says what the message 2 of this session said. */
        assert(isPair(given) && givenCommand != 0 && sameCommand(sent, givenCommand));
        /* (c) It is the gateway's newest session, and nobody was told that it has ended. */
        assert(gatewayStored.stage != none && gsid == newGSID && (number == session || number == 0));
#ifdef UNREADY
        d_step { copyDeviceRecord(record, before) };
#endif
        record.gsid.established = gsid;
        record.gsid.provisional = 0;
        record.dsid.established = dsid;
        record.dsid.provisional = 0;
        record.last.gsid = gsid;
        record.last.dsid = dsid;
        record.last.outcome = executing;
        forgetGiven();
        sessionCommand = sent;
        answerTo = number;
        device = storingExecution
    :: !isBusy && !(device == awaitingMessage3 && isEcho) ->
        if
        :: isPair(record.last) -> codeOf(record.last.outcome)
        :: !isPair(record.last) && isPair(record.superseded) -> codeOf(record.superseded.outcome)
        :: device == idle && isProvisionalPair -> code = conflict
        :: else ->
            breach();
            if
            :: device == awaitingMessage3 && isHalfOfSession -> endSession()
            :: else -> skip
            fi;
            code = forbidden
        fi
    fi
}

inline receiveOutcomeQuery() {
    answered.gsid = gsid;
    answered.dsid = dsid;
    if
    :: isExecutingUnbegun || (isExecuting && !isUnbegun && isPair(record.last)) -> answered.outcome = executing
    :: (!isExecuting || isUnbegun) && isPair(record.last) -> answered.outcome = record.last.outcome
    :: !isExecutingUnbegun && !isPair(record.last) && isPair(record.superseded) ->
        answered.outcome = record.superseded.outcome
    :: isOver && isProvisionalPair -> answered.outcome = notDone
    :: device == awaitingMessage3 && isProvisionalPair ->
        answered.outcome = notDone;     /* which stays true, because the session ends */
        if
        :: broken(5) -> skip
        :: else -> endSession()
        fi
    :: else -> answered.gsid = 0; answered.dsid = 0; answered.outcome = none
    fi;
    if
    :: answered.outcome != none -> code = changed
    :: answered.outcome == none && isBusy -> code = serviceUnavailable
    :: answered.outcome == none && !isBusy -> breach(); code = forbidden
    fi
}

inline giveOutcome() {
    if
    :: answered.outcome == none -> code = notFound
    :: answered.outcome != none ->
        code = content;
        gsid = answered.gsid;
        dsid = answered.dsid;
        outcome = answered.outcome
    fi
}

active proctype Device() {
    byte number, sent, gsid, dsid, echoed;
    mtype resource, code, outcome, how;

end:
    do
    :: atomic {
        nempty(toDevice) && (faulty || !isBusy) ->      /* without faults, storing is faster than who asks again */
        if
        :: toDevice?number, resource, sent, gsid, dsid
        :: mayBeDoubled -> toDevice?<number, resource, sent, gsid, dsid>
        fi;
        if
        :: resource == reflected && broken(13) -> resource = message3
        :: else -> skip
        fi;
        if
        :: resource == message1 -> receiveMessage1()
        :: resource == message2 -> giveMessage2()
        :: resource == message3 -> receiveMessage3()
        :: resource == outcomeQuery -> receiveOutcomeQuery()
        :: resource == outcomeRead -> giveOutcome()
        :: resource == reflected -> breach()        /* its number says that it is no message 3 */
        fi;
        if
        :: code == none -> skip     /* there is an answer later */
        :: code == content -> answer(number, resource, code, echoed, gsid, dsid, outcome)
        :: else -> answer(number, resource, code, 0, 0, 0, none)
        fi;
        number = 0; resource = none; sent = 0; gsid = 0; dsid = 0; echoed = 0; code = none; outcome = none
      }
    :: atomic {
        device == storingIdentifiers ->
        if
        :: broken(1) -> skip
        :: else -> d_step { copyDeviceRecord(record, deviceStored) }
        fi;
        device = awaitingMessage3;
        answer(answerTo, message1, changed, 0, 0, 0, none);
        answerTo = 0
      }
    :: atomic {
        device == storingExecution ->
        if
        :: broken(2) -> skip
        :: else -> d_step { copyDeviceRecord(record, deviceStored) }
        fi;
        device = executing
      }
    :: atomic {
        device == executing ->
        d_step { forgetUnbegun() };
        executions[sessionCommand]++;
        assert(executions[sessionCommand] == 1);        /* (a) */
        if
        :: record.last.outcome = done
        :: record.last.outcome = doneWithError
        fi;
        device = storingOutcome
      }
#ifdef UNREADY
    :: atomic {     /* 5.03 from the command itself: the session was given up like any other */
        faulty && device == executing ->
        d_step { copyDeviceRecord(before, record); copyDeviceRecord(deviceStored, before) };
        isUnbegun = true;
        device = storingOutcome
      }
#endif
    :: atomic {
        device == storingOutcome ->
#ifdef UNREADY
        if
        :: isUnbegun -> how = notDone; d_step { copyDeviceRecord(record, deviceStored) }
        :: isUnbegun && faulty ->
            /* It cannot be stored: a restart would find a command that was being executed. */
            crashedWhileExecuting = true;
            how = unknown;
            if
            :: broken(17) -> how = notDone
            :: else -> d_step { copyDeviceRecord(before, record); record.last.outcome = unknown }
            fi
        :: !isUnbegun -> how = record.last.outcome; d_step { copyDeviceRecord(record, deviceStored) }
        fi;
        d_step { forgetUnbegun() };
#else
        how = record.last.outcome;
        d_step { copyDeviceRecord(record, deviceStored) };
#endif
        codeOf(how);
        how = none;
        answer(answerTo, message3, code, 0, 0, 0, none);
        code = none;
        endSession()
      }
    :: atomic {     /* message 3 does not come in time */
        faulty && device == awaitingMessage3 -> endSession()
      }
    :: atomic {     /* a crash, and the start after it */
        faulty && deviceCrashes < DEVICE_CRASHES ->
        deviceCrashes++;
        if
        :: deviceStored.last.outcome == executing -> deviceStored.last.outcome = unknown; crashedWhileExecuting = true
        :: else -> skip
        fi;
        d_step { copyDeviceRecord(deviceStored, record); forgetUnbegun() };
        answered.gsid = 0; answered.dsid = 0; answered.outcome = none;
        endSession()
      }
    od
}

/* ----------------------------------------------------------------------------------------------------- Gateway */

mtype gateway = idle;
GatewaySessionRecord gatewayRecord;     /* in memory */
mtype result = none;                    /* of the session that is finished */
bool isKnown = true;                    /* the device has answered that it knows the newest session */
byte gatewayCrashes = 0;

inline copyGatewayRecord(from, to) {
    copyCache(from.gsid, to.gsid);
    copyCache(from.dsid, to.dsid);
    to.stage = from.stage
}

/* A request that finds no room is lost. */
inline send(resource, its, itsGSID, itsDSID) {
    if
    :: !hasRoomToDevice -> skip
    :: hasRoomToDevice -> toDevice!session, resource, its, itsGSID, itsDSID
    fi
}

inline sendOutcomeQuery() {
    gateway = sendingOutcomeQuery;
    send(outcomeQuery, 0, gatewayRecord.gsid.established, gatewayRecord.dsid.provisional)
}

/* Nothing that could still bring an answer is on its way. While there are faults, it may also just take too long. */
#define isLost (faulty || (len(toDevice) == 0 && len(toGateway) == 0 && !isBusy))

#define isRightEcho (sameCommand(echoed, command) && gsid == gatewayRecord.gsid.provisional)
#define isOurs ((gsid == gatewayRecord.gsid.established && dsid == gatewayRecord.dsid.provisional) || broken(8))

inline finish(how) { result = how; gateway = finished }

/* When a session begins, nothing is left of the sessions before the last one, and of that one only if the device has
   answered that it knows it. The short form waits always: nothing in its message 1 tells an old one from a new one. */
inline quietTime() {
    copies = 0;
#ifdef QUIET
    copies = len(toDevice);
    do
    :: copies > 0 ->
        copies--;
        toDevice?number, request, echoed, gsid, dsid;
        if
#ifndef SHORT
        :: number == session && (isKnown || broken(14)) -> toDevice!number, request, echoed, gsid, dsid
#endif
        :: else -> skip
        fi
    :: copies == 0 -> break
    od
#endif
}

active proctype Gateway() {
    byte number, echoed, gsid, dsid, copies;
    mtype request, code, outcome;

end:
    do
    :: atomic {
        gateway == idle && command <= COMMANDS && (session < SESSIONS || !faulty) ->
        do      /* nobody waits for the old answers any more */
        :: toGateway?request, code, echoed, gsid, dsid, outcome
        :: empty(toGateway) -> break
        od;
        quietTime();
        /* (e) One slot for each, and when a session begins both sides have the same DSID in it. */
        assert(broken(3) || broken(7) || (gatewayRecord.dsid.provisional == 0
            && gatewayRecord.dsid.established == deviceStored.dsid.established));
        number = 0; code = none; outcome = none; request = none; echoed = 0; gsid = 0; dsid = 0;
        session++;
#ifdef CALM
        if
        :: calm -> sessionsSinceCalm++; assert(sessionsSinceCalm <= 2)      /* (d) */
        :: else -> skip
        fi;
#endif
        isKnown = false;
        gatewayRecord.gsid.provisional = newGSID;
        gatewayRecord.stage = offered;
        gateway = storingGSID
      }
    :: atomic {
        gateway == storingGSID && (faulty || hasRoomToDevice) ->
        d_step { copyGatewayRecord(gatewayRecord, gatewayStored) };
        gateway = sendingMessage1;
#ifdef SHORT
        send(message1, command, 0, 0)
#else
        if
        :: broken(7) && gatewayRecord.dsid.provisional != 0 ->
            send(message1, command, gatewayRecord.gsid.provisional, gatewayRecord.dsid.provisional)
        :: else ->
            send(message1, command, gatewayRecord.gsid.provisional, gatewayRecord.dsid.established)
        fi
#endif
      }
    :: atomic {
        nempty(toGateway) && (faulty || hasRoomToDevice) ->
        toGateway?request, code, echoed, gsid, dsid, outcome;
        if
        :: gateway == sendingMessage1 && request == message1 ->
            isKnown = (code == changed || code == conflict);
            if
            :: code == changed -> gateway = readingMessage2; send(message2, 0, 0, 0)
            :: else -> finish(notDone)
            fi
        :: gateway == readingMessage2 && request == message2 ->
            if
            :: code == content && isRightEcho ->
                gatewayRecord.gsid.established = gsid;
                gatewayRecord.gsid.provisional = 0;
                gatewayRecord.dsid.provisional = dsid;
                gatewayRecord.stage = confirmed;
                gateway = storingDSID
            :: code == content && !isRightEcho ->
                breach();
                finish(notDone)
            :: code != content -> finish(notDone)
            fi
        :: gateway == sendingMessage3 && request == message3 ->
            if
            :: code == changed -> finish(done)
            :: code == conflict && broken(9) -> finish(notDone)
            :: else -> sendOutcomeQuery()       /* a code of the command or of the device: the outcome tells */
            fi
        :: gateway == sendingOutcomeQuery && request == outcomeQuery ->
            if
            :: code == changed -> gateway = readingOutcome; send(outcomeRead, 0, 0, 0)
            :: code == forbidden -> finish(notDone)     /* what the device does not know it never accepted */
            :: else -> sendOutcomeQuery()
            fi
        :: gateway == readingOutcome && request == outcomeRead ->
            if
            :: code == content && outcome != executing && isOurs -> finish(outcome)
            :: else -> sendOutcomeQuery()
            fi
        :: else -> skip     /* another answer came first */
        fi;
        request = none; code = none; echoed = 0; gsid = 0; dsid = 0; outcome = none
      }
    :: atomic {
        gateway == storingDSID && (faulty || hasRoomToDevice) ->
        if
        :: broken(6) -> skip
        :: else -> d_step { copyGatewayRecord(gatewayRecord, gatewayStored) }
        fi;
        gateway = sendingMessage3;
        send(message3, command, gatewayRecord.gsid.established, gatewayRecord.dsid.provisional)
      }
    :: atomic {     /* the end of a session is stored, then told */
        gateway == finished ->
        if
        :: result == notDone && broken(7) -> skip
        :: result == notDone && !broken(7) -> gatewayRecord.dsid.provisional = 0
        :: result != notDone ->
            gatewayRecord.dsid.established = gatewayRecord.dsid.provisional;
            gatewayRecord.dsid.provisional = 0
        fi;
        gatewayRecord.stage = none;
        d_step { copyGatewayRecord(gatewayRecord, gatewayStored) };
        /* (c); receiveMessage3 checks that not done stays true. */
        if
        :: result == done || result == doneWithError -> assert(executions[command] == 1)
        :: result == notDone -> assert(executions[command] == 0)
        :: result == unknown -> assert(crashedWhileExecuting)
        fi;
        if
        :: result == notDone && (session < SESSIONS || !faulty) -> skip     /* once more */
        :: result != notDone || faulty ->
            command++;
#ifdef CALM
            sessionsSinceCalm = 0;
#endif
        fi;
        crashedWhileExecuting = false;
        result = none;
        gateway = idle
      }
    :: atomic {     /* no answer in time: message 3 was not sent */
        (gateway == sendingMessage1 || gateway == readingMessage2) && isLost -> finish(notDone)
      }
    :: atomic {     /* no answer in time: message 3 may have been sent */
        (gateway == sendingMessage3 || gateway == sendingOutcomeQuery || gateway == readingOutcome) && isLost ->
        sendOutcomeQuery()
      }
    :: atomic {     /* a crash, and the start after it */
        faulty && gatewayCrashes < GATEWAY_CRASHES && gateway != idle ->
        gatewayCrashes++;
        d_step { copyGatewayRecord(gatewayStored, gatewayRecord) };
        result = none;
        isKnown = false;
        if
        :: gatewayRecord.stage == none -> gateway = idle
        :: gatewayRecord.stage == offered -> finish(notDone)
        :: gatewayRecord.stage == confirmed -> sendOutcomeQuery()
        fi
      }
    od
}

/* ----------------------------------------------------------------------------------------------------- Network */

active proctype Network() {
    byte number, sent, gsid, dsid;
    mtype resource;

end:
    do
    :: atomic {     /* loses; an answer is lost by coming too late */
        faulty && nempty(toDevice) ->
        toDevice?number, resource, sent, gsid, dsid;
        number = 0; resource = none; sent = 0; gsid = 0; dsid = 0
      }
    :: atomic {     /* reorders */
        faulty && len(toDevice) > 1 ->
        toDevice?number, resource, sent, gsid, dsid;
        toDevice!number, resource, sent, gsid, dsid;
        number = 0; resource = none; sent = 0; gsid = 0; dsid = 0
      }
#ifdef CALM
    :: atomic { !calm -> calm = true }
#endif
    od
}

#ifdef CALM
/* (d) Once faults have stopped, every command comes to its end. */
ltl completes { [] (calm -> <> (command > COMMANDS && gateway == idle)) }
#endif

/* ---------------------------------------------------------------------------------------------------- Attacker */

#ifdef ATTACKER
/* What can no longer be used does not make states differ. */
inline forgetAtTheEnd() {
    if
    :: attacks == ATTACKS ->
        resource = none; sent = 0; gsid = 0; dsid = 0; otherGSID = 0; otherDSID = 0;
        said = none; echoed = 0; saidGSID = 0; saidDSID = 0; outcome = none
    :: else -> skip
    fi
}

/* Sees every message, remembers two, and makes others of them, over a connection of its own: nobody takes its requests
   for the gateway's (session 0), so that answers reach only itself. To the gateway it repeats what the device said. */
active proctype Attacker() {
    byte number, sent, gsid, dsid, otherGSID, otherDSID, attacks;
    byte echoed, saidGSID, saidDSID;
    mtype resource, said, code, outcome;

end:
    do
    :: atomic {     /* sees a request */
        attacks < ATTACKS && nempty(toDevice) ->
        attacks++;
        otherGSID = gsid;
        otherDSID = dsid;
        toDevice?<number, resource, sent, gsid, dsid>;
        number = 0;
        forgetAtTheEnd()
      }
    :: atomic {     /* sees what the device says */
        attacks < ATTACKS && toGateway?[_, content, _, _, _, _] ->
        attacks++;
        toGateway?<said, code, echoed, saidGSID, saidDSID, outcome>;
        code = none;
        forgetAtTheEnd()
      }
    :: atomic {     /* replays, swaps, alters */
        attacks < ATTACKS && resource != none && nfull(toDevice) ->
        attacks++;
        if
        :: toDevice!0, resource, sent, gsid, dsid
        :: toDevice!0, resource, sent, dsid, gsid
        :: toDevice!0, resource, ALTERED, gsid, dsid
#if !defined(SHORT) || BROKEN == 15
        /* With an identifier of another message. The short form has only one, so that an old message 3 and the DSID of
           a message 2 are the gateway's own message 3: against that it has nothing but DTLS. */
        :: toDevice!0, resource, sent, otherGSID, dsid
        :: toDevice!0, resource, sent, gsid, otherDSID
        :: toDevice!0, resource, sent, saidGSID, dsid
        :: toDevice!0, resource, sent, gsid, saidDSID
#endif
        fi;
        forgetAtTheEnd()
      }
    :: atomic {     /* reflects */
        attacks < ATTACKS && said == message2 && nfull(toDevice) ->
        attacks++;
        toDevice!0, reflected, echoed, saidGSID, saidDSID;
        forgetAtTheEnd()
      }
    :: atomic {     /* says to the gateway once more what the device said */
        attacks < ATTACKS && said != none && hasRoomToGateway ->
        attacks++;
        toGateway!said, content, echoed, saidGSID, saidDSID, outcome;
        forgetAtTheEnd()
      }
    od
}
#endif

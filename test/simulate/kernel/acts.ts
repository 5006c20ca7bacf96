import { frameHappenings, pingHappenings, rawHappenings, udpHappenings } from './datagram.ts';
import {
  ptraceHappening,
  setnsHappening,
  threadHappening,
  unshareHappening,
  uringHappenings,
  vmWriteHappening,
} from './escape.ts';
import { fetched, inheritedHappenings, receiveHappenings } from './handover.ts';
import type { Scene } from './hooks.ts';
import { acceptHappenings, connectUnix, listenHappenings } from './local.ts';
import { lookupHappenings } from './lookup.ts';
import { tcpHappenings } from './tcp.ts';
import type { Act } from '../world.ts';

/** Every event that the policies of the lab make of an act. */
export function actHappenings(scene: Scene, act: Act): void {
  switch (act.kind) {
    case 'lookup': {
      lookupHappenings(scene, act);
      return;
    }
    case 'tcp': {
      tcpHappenings(scene, act);
      return;
    }
    case 'udp': {
      udpHappenings(scene, act);
      return;
    }
    case 'icmp': {
      pingHappenings(scene, act);
      return;
    }
    case 'raw': {
      rawHappenings(scene, act);
      return;
    }
    case 'packet': {
      frameHappenings(scene, act);
      return;
    }
    case 'unix': {
      connectUnix(scene, act.path, act.socket, act.at);
      return;
    }
    case 'listen': {
      listenHappenings(scene, act);
      return;
    }
    case 'accept': {
      acceptHappenings(scene, act);
      return;
    }
    case 'receive': {
      receiveHappenings(scene, act);
      return;
    }
    case 'inherited': {
      inheritedHappenings(scene, act);
      return;
    }
    case 'thread': {
      threadHappening(scene, act.tid, act.at);
      return;
    }
    case 'ptrace': {
      ptraceHappening(scene, scene.processes.get(act.target), act.at);
      return;
    }
    case 'vm-write': {
      vmWriteHappening(scene, scene.processes.get(act.target), act.at);
      return;
    }
    case 'pidfd-getfd': {
      fetched(scene, act.at);
      return;
    }
    case 'setns': {
      setnsHappening(scene, act.at);
      return;
    }
    case 'unshare': {
      unshareHappening(scene, act.at);
      return;
    }
    case 'io-uring': {
      uringHappenings(scene, act.at);
      return;
    }
  }
}

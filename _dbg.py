import faulthandler; faulthandler.dump_traceback_later(150, exit=True)
import sys, time, threading, glob
from bench.faults.catalogue import FAULTS
from bench.faults.place import open_place
from bench.faults.points import Load
import bench.faults.repeat as r
r.READY_S=20; r.SETTLE_S=20
name, n, rate = sys.argv[1:]
with open_place() as place:
    try:
        t=time.time()
        v = r.run_repeat(place, FAULTS[name], Load(int(n), 400, int(rate)), 1)
        print(time.time()-t, v)
    except Exception as e:
        print(repr(e))
    for f in sorted(glob.glob(str(place.folder)+"/bench-*/*.log")):
            print(f); print(open(f).read()[-3000:])

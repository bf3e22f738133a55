// Command peer is the benchmark of vaultlet from Go, or, with the build tag sdk, of Microsoft's SDK as in its
// quickstart.
//
//	peer cold NAME | warm-same CALLS | warm-diff CALLS | conc CALLERS CALLS
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	start := time.Now()
	get := client()
	task, arguments := os.Args[1], os.Args[2:]
	switch task {
	case "cold":
		value, err := get(arguments[0])
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(value)
	case "warm-same", "warm-diff":
		first := call(get, "s0")
		imported := time.Since(start)
		var durations []time.Duration
		before, wall, cpu := faults(), time.Now(), used()
		for i := 1; i <= number(arguments[0]); i++ {
			name := "s0"
			if task == "warm-diff" {
				name = "s" + strconv.Itoa(i)
			}
			durations = append(durations, call(get, name))
		}
		report(first, imported, durations, time.Since(wall), used()-cpu, faults()-before)
	case "conc":
		callers, calls := number(arguments[0]), number(arguments[1])
		all(get, callers, calls/5)
		before, wall, cpu := faults(), time.Now(), used()
		durations := all(get, callers, calls)
		report(0, 0, durations, time.Since(wall), used()-cpu, faults()-before)
	default:
		log.Fatalf("no such task: %s", task)
	}
}

func call(get func(string) (string, error), name string) time.Duration {
	begun := time.Now()
	value, err := get(name)
	duration := time.Since(begun)
	if err != nil {
		log.Fatal(err)
	}
	if value != "value-of-"+name+"-0123456789abcdef0123456789abcdef" {
		log.Fatalf("%s came back with another value", name)
	}
	return duration
}

func all(get func(string) (string, error), callers, calls int) []time.Duration {
	durations := make([]time.Duration, calls)
	var next atomic.Int64
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < calls; i = int(next.Add(1)) - 1 {
				durations[i] = call(get, "s"+strconv.Itoa(i))
			}
		})
	}
	group.Wait()
	return durations
}

func report(first, imported time.Duration, durations []time.Duration, wall, cpu time.Duration, faults int64) {
	slices.Sort(durations)
	us := func(d time.Duration) float64 { return float64(d) / 1e3 }
	percentile := func(percent int) float64 {
		return us(durations[min(len(durations)*percent/100, len(durations)-1)])
	}
	status, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		log.Fatal(err)
	}
	var size, resident int
	fmt.Sscan(string(status), &size, &resident)
	line, err := json.Marshal(map[string]any{
		"calls": len(durations), "first_us": us(first), "import_us": us(imported), "median_us": percentile(50),
		"p99_us": percentile(99), "wall_us": us(wall), "cpu_us": us(cpu), "faults": faults,
		"rss_kib": resident * os.Getpagesize() / 1024,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}

func used() time.Duration {
	usage := usage()
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func faults() int64 {
	return usage().Minflt
}

func usage() (usage syscall.Rusage) {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return usage
}

func number(text string) int {
	number, err := strconv.Atoi(text)
	if err != nil {
		log.Fatal(err)
	}
	return number
}

// The kernel workloads on Go. Reads lines "WORKLOAD COUNT" and answers each with the nanoseconds of one operation.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	batch = 1000
	ring  = 1000
	pile  = 100000
	room  = 1000
)

type item struct{ i int }

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

// Children that send one message and end; the parent takes all messages and waits for all ends.
func spawnReplyWait(times int) {
	for left := times; left > 0; left -= batch {
		count := min(left, batch)
		box := make(chan int, count)
		var ends sync.WaitGroup
		ends.Add(count)
		for i := 0; i < count; i++ {
			go func() {
				box <- 1
				ends.Done()
			}()
		}
		for i := 0; i < count; i++ {
			<-box
		}
		ends.Wait()
	}
}

func pingPong(times int) {
	there, back := make(chan int), make(chan int)
	go func() {
		for i := 0; i < times; i++ {
			back <- <-there
		}
	}()
	for i := 0; i < times; i++ {
		there <- i
		<-back
	}
}

func yieldSwitch(times int) {
	turns := (times + batch - 1) / batch
	var ends sync.WaitGroup
	ends.Add(batch)
	for i := 0; i < batch; i++ {
		go func() {
			for t := 0; t < turns; t++ {
				runtime.Gosched()
			}
			ends.Done()
		}()
	}
	ends.Wait()
}

func sendDrain(times int) {
	box := make(chan *item, pile)
	for left := times; left > 0; left -= pile {
		count := min(left, pile)
		for i := 0; i < count; i++ {
			box <- &item{i}
		}
		for i := 0; i < count; i++ {
			if (<-box).i != i {
				panic("lost")
			}
		}
	}
}

func trySendReceive(times int) {
	box := make(chan int, room)
	for i := 0; i < times; i++ {
		select {
		case box <- i:
		default:
			panic("full")
		}
		select {
		case got := <-box:
			if got != i {
				panic("lost")
			}
		default:
			panic("empty")
		}
	}
}

func ringOf(times int) {
	laps := (times + ring - 1) / ring
	boxes := make([]chan int, ring)
	for i := range boxes {
		boxes[i] = make(chan int, 1)
	}
	var ends sync.WaitGroup
	ends.Add(ring)
	for i := range boxes {
		in, out := boxes[i], boxes[(i+1)%ring]
		go func() {
			for lap := 0; lap < laps; lap++ {
				out <- (<-in) + 1
			}
			ends.Done()
		}()
	}
	boxes[0] <- 0
	ends.Wait()
}

func oneToOne(times, size int) {
	for left := times; left > 0; left -= size {
		count := min(left, size)
		box := make(chan int, room)
		done := make(chan struct{})
		go func() {
			for i := 0; i < count; i++ {
				<-box
			}
			close(done)
		}()
		for i := 0; i < count; i++ {
			box <- i
		}
		<-done
	}
}

func timerInsertCancel(times int) {
	timers := make([]*time.Timer, times)
	for i := range timers {
		timers[i] = time.AfterFunc(time.Hour+time.Duration(i*7919%100000)*time.Millisecond, func() {})
	}
	for _, timer := range timers {
		timer.Stop()
	}
}

func resident() int {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		panic(err)
	}
	return pages * os.Getpagesize()
}

// Resident bytes per goroutine that waits for a message it never gets.
func parked(count int) float64 {
	never := make(chan int)
	before := resident()
	for i := 0; i < count; i++ {
		go func() { <-never }()
		if i%batch == 0 {
			runtime.Gosched()
		}
	}
	runtime.Gosched()
	time.Sleep(200 * time.Millisecond)
	grown := resident() - before
	if runtime.NumGoroutine() < count {
		panic("some ended")
	}
	return float64(grown) / float64(count)
}

var workloads = map[string]func(int){
	"spawn-reply-wait":    spawnReplyWait,
	"ping-pong":           pingPong,
	"yield-switch":        yieldSwitch,
	"send-drain":          sendDrain,
	"try-send-receive":    trySendReceive,
	"ring-1000":           ringOf,
	"one-to-one-100":      func(times int) { oneToOne(times, 100) },
	"one-to-one-1k":       func(times int) { oneToOne(times, 1000) },
	"one-to-one-10k":      func(times int) { oneToOne(times, 10000) },
	"one-to-one-100k":     func(times int) { oneToOne(times, 100000) },
	"timer-insert-cancel": timerInsertCancel,
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "parked" {
		count, err := strconv.Atoi(os.Args[2])
		if err != nil {
			panic(err)
		}
		fmt.Printf("%.3f\n", parked(count))
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "cold" {
		done := make(chan struct{})
		go func() { close(done) }()
		<-done
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		times, err := strconv.Atoi(words[1])
		if err != nil {
			panic(err)
		}
		start := time.Now()
		workloads[words[0]](times)
		fmt.Printf("%.3f\n", float64(time.Since(start).Nanoseconds())/float64(times))
	}
}

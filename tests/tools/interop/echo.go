// SPDX-License-Identifier: MIT

// An echo server and client over package net, for interop/go.sh.
//
// usage: echo serve NETWORK ADDRESS
//
//	echo talk NETWORK ADDRESS OWN
//
// NETWORK is unix, unixgram or unixpacket.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

const patience = 60 * time.Second

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "go:", err)
		os.Exit(1)
	}
}

func expect(what string, came, wanted interface{}) {
	if came != wanted {
		check(fmt.Errorf("%s: %v, not %v", what, came, wanted))
	}
}

func addressOf(network, text string) *net.UnixAddr {
	address, err := net.ResolveUnixAddr(network, text)
	check(err)
	return address
}

func sayListening(address net.Addr) {
	fmt.Fprintln(os.Stderr, "go: listening on", address)
}

func remove(text string) {
	if !strings.HasPrefix(text, "@") {
		check(os.Remove(text))
	}
}

// serveGrams leaves after a message "end".
func serveGrams(text string) {
	conn, err := net.ListenUnixgram("unixgram", addressOf("unixgram", text))
	check(err)
	check(conn.SetDeadline(time.Now().Add(patience)))
	sayListening(conn.LocalAddr())
	buffer := make([]byte, 1<<20)
	for {
		size, sender, err := conn.ReadFromUnix(buffer)
		check(err)
		if sender == nil {
			check(fmt.Errorf("a sender without an address"))
		}
		_, err = conn.WriteToUnix(buffer[:size], sender)
		check(err)
		if string(buffer[:size]) == "end" {
			break
		}
	}
	check(conn.Close())
	// Go leaves the file of a datagram socket.
	remove(text)
}

// serveLinks serves one client. Empty messages of unixpacket look like its
// end to Read, so there a message "end" is the last.
func serveLinks(network, text string) {
	listener, err := net.Listen(network, text)
	check(err)
	sayListening(listener.Addr())
	conn, err := listener.Accept()
	check(err)
	check(conn.SetDeadline(time.Now().Add(patience)))
	buffer := make([]byte, 1<<20)
	for {
		size, err := conn.Read(buffer)
		if err == io.EOF {
			break
		}
		check(err)
		_, err = conn.Write(buffer[:size])
		check(err)
		if network == "unixpacket" && string(buffer[:size]) == "end" {
			break
		}
	}
	check(conn.Close())
	check(listener.Close())
}

func messages() [][]byte {
	return [][]byte{
		[]byte("hello"),
		{0, '\n', 255},
		bytes.Repeat([]byte("x"), 65536),
		[]byte("end"),
	}
}

// exchange sends all messages and then takes all answers: boundaries are kept.
func exchange(conn net.Conn, all [][]byte) {
	for _, message := range all {
		size, err := conn.Write(message)
		check(err)
		expect("size written", size, len(message))
	}
	buffer := make([]byte, 1<<20)
	for _, message := range all {
		size, err := conn.Read(buffer)
		check(err)
		expect("an answer", bytes.Equal(buffer[:size], message), true)
	}
}

// talkGrams uses a connected socket with an address of its own, then one that
// is not connected.
func talkGrams(text, own string) {
	server := addressOf("unixgram", text)
	conn, err := net.DialUnix("unixgram", addressOf("unixgram", own), server)
	check(err)
	check(conn.SetDeadline(time.Now().Add(patience)))
	expect("local address", conn.LocalAddr().String(), own)
	expect("remote address", conn.RemoteAddr().String(), text)
	exchange(conn, append([][]byte{{}}, messages()...))
	check(conn.Close())
	remove(own)

	conn, err = net.ListenUnixgram("unixgram", addressOf("unixgram", own))
	check(err)
	check(conn.SetDeadline(time.Now().Add(patience)))
	for _, message := range messages() {
		_, err = conn.WriteToUnix(message, server)
		check(err)
		buffer := make([]byte, 1<<20)
		size, sender, err := conn.ReadFromUnix(buffer)
		check(err)
		expect("an answer", bytes.Equal(buffer[:size], message), true)
		expect("its sender", sender.String(), text)
	}
	check(conn.Close())
	remove(own)
}

func talkPackets(text, own string) {
	conn, err := net.DialUnix("unixpacket", addressOf("unixpacket", own),
		addressOf("unixpacket", text))
	check(err)
	check(conn.SetDeadline(time.Now().Add(patience)))
	expect("local address", conn.LocalAddr().String(), own)
	expect("remote address", conn.RemoteAddr().String(), text)
	exchange(conn, messages())
	check(conn.CloseWrite())
	_, err = conn.Read(make([]byte, 10))
	expect("at the end", err, io.EOF)
	check(conn.Close())
	remove(own)
}

func talkStream(text string) {
	conn, err := net.Dial("unix", text)
	check(err)
	check(conn.SetDeadline(time.Now().Add(patience)))
	expect("local address", conn.LocalAddr().String(), "@")
	data := bytes.Repeat([]byte("0123456789abcdef"), 65536)
	go func() {
		_, err := conn.Write(data)
		check(err)
		check(conn.(*net.UnixConn).CloseWrite())
	}()
	came, err := io.ReadAll(conn)
	check(err)
	expect("all that was written", bytes.Equal(came, data), true)
	check(conn.Close())
}

func main() {
	role, network, text := os.Args[1], os.Args[2], os.Args[3]
	switch role + " " + network {
	case "serve unixgram":
		serveGrams(text)
	case "serve unixpacket", "serve unix":
		serveLinks(network, text)
	case "talk unixgram":
		talkGrams(text, os.Args[4])
	case "talk unixpacket":
		talkPackets(text, os.Args[4])
	case "talk unix":
		talkStream(text)
	}
}

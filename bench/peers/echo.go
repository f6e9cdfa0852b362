// SPDX-License-Identifier: 0BSD

// An echo server as package net makes it easy: echo NETWORK ADDRESS.
package main

import (
	"fmt"
	"net"
	"os"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "go:", err)
		os.Exit(1)
	}
}

func answer(conn net.Conn) {
	buffer := make([]byte, 1<<18)
	for {
		size, err := conn.Read(buffer)
		if err != nil {
			conn.Close()
			return
		}
		conn.Write(buffer[:size])
	}
}

func main() {
	network, address := os.Args[1], os.Args[2]
	if network == "unixgram" {
		conn, err := net.ListenPacket(network, address)
		check(err)
		fmt.Fprintln(os.Stderr, "go: listening on", address)
		buffer := make([]byte, 1<<18)
		for {
			size, from, err := conn.ReadFrom(buffer)
			check(err)
			conn.WriteTo(buffer[:size], from)
		}
	}
	listener, err := net.Listen(network, address)
	check(err)
	fmt.Fprintln(os.Stderr, "go: listening on", address)
	for {
		conn, err := listener.Accept()
		check(err)
		go answer(conn)
	}
}
